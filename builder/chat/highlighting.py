"""Colours for code: comments, texts, numbers and the words that most languages share. Small on purpose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["comment", "text", "number", "keyword"]

_HASH = frozenset(
    re.findall(
        r"\w+", "python py sh bash shell zsh ruby rb yaml yml toml r perl make makefile dockerfile ini conf nim elixir"
    )
)
_DASHES = frozenset({"sql", "lua", "haskell", "hs", "ada"})
_KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        """
        and as assert async await begin break case catch class const continue def default del do done echo
        elif else end enum esac except export extends extern false False fi final finally fn for foreach from
        func function go goto if impl implements import in include instanceof interface is lambda let local
        loop match mod module mut namespace new nil None nonlocal not null or override package pass private
        protected pub public raise ref return select self static struct super switch template then this throw
        throws trait true True try type typedef typeof union unless unsafe until use using val var virtual
        void when where while with yield SELECT FROM WHERE INSERT INTO UPDATE DELETE CREATE TABLE JOIN ON
        GROUP BY ORDER LIMIT VALUES SET AND OR NOT NULL
        """,
    )
)
_TEXT = r"\"(?:\\.|[^\"\\\n])*\"?|'(?:\\.|[^'\\\n])*'?|`(?:\\.|[^`\\\n])*`?"
_NUMBER = r"\b(?:0[xXbBoO][0-9a-fA-F_]+|\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)\b"
_WORD = r"\b[A-Za-z_]\w*\b"


def spans(line: str, language: str) -> Iterator[tuple[int, int, Kind]]:
    """Yield start, length and kind of each piece of a line that has a colour.

    A line at a time: a comment or text over several lines is coloured on its first line alone.
    """
    if language in {"", "text", "txt", "plain", "plaintext", "output", "console", "markdown", "md"}:
        return
    for found in _pattern(language).finditer(line):
        match found.lastgroup:
            case "word" if found[0] in _KEYWORDS:
                yield found.start(), len(found[0]), "keyword"
            case "comment" | "text" | "number" as kind:
                yield found.start(), len(found[0]), kind


def _pattern(language: str) -> re.Pattern[str]:
    if language in _HASH:
        comment = r"#.*"
    elif language in _DASHES:
        comment = r"--.*"
    elif language in {"html", "xml", "svg"}:
        comment = r"<!--.*?(?:-->|$)"
    else:
        comment = r"//.*|/\*.*?(?:\*/|$)"
    # `re` keeps what it has compiled.
    return re.compile(f"(?P<comment>{comment})|(?P<text>{_TEXT})|(?P<number>{_NUMBER})|(?P<word>{_WORD})")
