"""BERT's WordPiece, with the very ids of the `tokenizers` library, on every Python and for every code point.

Not the library, because it installs a hub client and its HTTP stack (16 packages) beside it and takes 28 ms to be
imported and loaded before a question can be embedded, this 8 ms. Not llama.cpp's own tokeniser, because it gives other
ids: for 9,855 code points (Hangul, vowel signs, ...), words of more than 100 characters, and `[SEP]` written in a text.
"""

from __future__ import annotations

import bisect
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from satchel.runtime.knowledge.embedders import wordpiece_characters

_CACHED_WORDS = 50_000
_KEPT_WHITE_SPACE = "\t\n\r"


@dataclass(frozen=True, slots=True)
class WordPieceRules:
    """The settings of a `tokenizer.json` whose normaliser is BertNormalizer, cleaning, and whose model is WordPiece."""

    vocabulary: Mapping[str, int]
    special_tokens: Mapping[str, int]
    """Recognised in a text as they stand, before anything is normalised."""
    cls: int
    sep: int
    unknown: int
    lowercase: bool = True
    strip_accents: bool = True
    set_chinese_apart: bool = True
    continuing_prefix: str = "##"
    longest_word: int = 100
    """Characters; a longer word is one unknown token."""


class WordPieceTokenizer:
    """Token ids of texts; never fails, whatever the characters."""

    def __init__(self, rules: WordPieceRules, *, max_tokens: int) -> None:
        """`max_tokens` is the longest that `encode` returns, the two special tokens included."""
        self._rules = rules
        self._kept = max_tokens - 2
        self._normalised = _Normaliser(rules)
        self._pieces = lru_cache(_CACHED_WORDS)(self._split)
        # Nothing longer can be found; looking for it would take random letters (base64) half as long again.
        self._longest_piece = max(map(len, rules.vocabulary), default=1)
        specials = sorted(rules.special_tokens, key=len, reverse=True)
        self._specials = re.compile(f"({'|'.join(map(re.escape, specials))})") if specials else None

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text with [CLS] and [SEP] around them, cut to `max_tokens`."""
        return [self._rules.cls, *self._ids(text)[: self._kept], self._rules.sep]

    def count(self, text: str) -> int:
        """Return the number of tokens of a text, neither cut nor with special tokens around it."""
        return len(self._ids(text))

    def _ids(self, text: str) -> list[int]:
        if self._specials is None:
            return self._plain_ids(text)
        ids: list[int] = []
        for place, part in enumerate(self._specials.split(text)):
            if place % 2:
                ids.append(self._rules.special_tokens[part])
            elif part:
                ids += self._plain_ids(part)
        return ids

    def _plain_ids(self, text: str) -> list[int]:
        pieces = self._pieces
        return [piece for word in text.translate(self._normalised).split() for piece in pieces(word)]

    def _split(self, word: str) -> Sequence[int]:
        """Return the longest pieces that fit, from the left; the whole word is unknown when a place has none."""
        rules = self._rules
        if len(word) > rules.longest_word:
            return (rules.unknown,)
        found, start, prefix = [], 0, ""
        while start < len(word):
            for end in range(min(len(word), start + self._longest_piece), start, -1):
                if (piece := rules.vocabulary.get(prefix + word[start:end])) is not None:
                    found.append(piece)
                    start, prefix = end, rules.continuing_prefix
                    break
            else:
                return (rules.unknown,)
        return tuple(found)


class _Normaliser(dict[int, str]):
    """What each code point becomes, for `str.translate`; filled as characters are met.

    One character at a time is enough: of what canonical ordering could move, nearly all are marks, which are dropped.
    """

    def __init__(self, rules: WordPieceRules) -> None:
        super().__init__()
        self._rules = rules
        self._controls = _CodeRanges(wordpiece_characters.CONTROLS)
        self._marks = _CodeRanges(wordpiece_characters.MARKS)
        self._punctuation = _CodeRanges(wordpiece_characters.PUNCTUATION)
        self._chinese = _CodeRanges(wordpiece_characters.CHINESE)

    def __missing__(self, code: int) -> str:
        self[code] = became = self._became(code)
        return became

    def _became(self, code: int) -> str:
        rules, character = self._rules, chr(code)
        if character not in _KEPT_WHITE_SPACE and code in self._controls:
            return ""
        if character.isspace():
            return " "
        parts = unicodedata.normalize("NFD", character) if rules.strip_accents else character
        if rules.strip_accents:
            parts = "".join(part for part in parts if ord(part) not in self._marks)
        if rules.lowercase:
            parts = parts.lower()
        parts = "".join(f" {part} " if ord(part) in self._punctuation else part for part in parts)
        return f" {parts} " if rules.set_chinese_apart and code in self._chinese else parts


class _CodeRanges:
    """A set of code points, written as ranges such as `41-5a 61`."""

    def __init__(self, ranges: str) -> None:
        pairs = [tuple(int(end, 16) for end in part.split("-")) for part in ranges.split()]
        self._starts = [pair[0] for pair in pairs]
        self._ends = [pair[-1] for pair in pairs]

    def __contains__(self, code: int) -> bool:
        place = bisect.bisect_right(self._starts, code) - 1
        return place >= 0 and code <= self._ends[place]
