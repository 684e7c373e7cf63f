"""An answer's Markdown cut into what is shown by different widgets: prose, code, tables. No widget here.

Made for text that is still arriving: a code block may have no end yet, a table may be half there.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})[ \t]*([^\s`]*)[^`\n]*$")
_DIVIDER = re.compile(r"^ {0,3}\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_IMAGE = re.compile(r"!\[([^\]\n]*)\]\(([^)\s]*)[^)\n]*\)")
_MARK = re.compile(r"\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\](?!\()")
_INLINE_CODE = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
SOURCE_SCHEME = "source:"


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of an answer."""

    kind: Literal["prose", "code", "table"]
    text: str
    """Markdown for prose and tables; the code itself for code."""
    language: str = ""
    """As the fence names it."""


def split_blocks(markdown: str) -> list[Block]:
    """Return the pieces of an answer in order; fences inside lists stay with the prose around them."""
    blocks: list[Block] = []
    prose: list[str] = []
    lines = markdown.split("\n")
    at = 0

    def end_prose() -> None:
        text = "\n".join(prose).strip("\n")
        if text.strip():
            blocks.append(Block("prose", text))
        prose.clear()

    while at < len(lines):
        if (fence := _FENCE.match(lines[at])) is not None:
            end_prose()
            end = _closing(lines, at + 1, fence[1])
            blocks.append(Block("code", "\n".join(lines[at + 1 : end]), fence[2].casefold()))
            at = end + 1
        elif "|" in lines[at] and at + 1 < len(lines) and "|" in lines[at + 1] and _DIVIDER.match(lines[at + 1]):
            end_prose()
            end = at + 2
            while end < len(lines) and "|" in lines[end] and lines[end].strip():
                end += 1
            blocks.append(Block("table", "\n".join(lines[at:end])))
            at = end
        else:
            prose.append(lines[at])
            at += 1
    end_prose()
    return blocks


def with_marks(markdown: str, numbers: Collection[int]) -> str:
    """Turn `[2]` into a link to source 2 where there is one, and pictures into links: nothing is fetched.

    Code between backticks stays as it is.
    """
    parts: list[str] = []
    end = 0
    for code in _INLINE_CODE.finditer(markdown):
        parts += [_marked(markdown[end : code.start()], numbers), code[0]]
        end = code.end()
    parts.append(_marked(markdown[end:], numbers))
    return "".join(parts)


def _marked(text: str, numbers: Collection[int]) -> str:
    def link(found: re.Match[str]) -> str:
        cited = [int(number) for number in re.findall(r"\d+", found[1])]
        if not all(number in numbers for number in cited):
            return found[0]
        return "\u2009".join(f"[\u2009{number}\u2009]({SOURCE_SCHEME}{number})" for number in cited)

    without_pictures = _IMAGE.sub(lambda found: f"[{found[1] or found[2]}]({found[2]})", text)
    return _MARK.sub(link, without_pictures)


def _closing(lines: list[str], start: int, fence: str) -> int:
    """Return the line that closes a fence, or the number of lines while it has not come."""
    for number in range(start, len(lines)):
        line = lines[number].strip()
        if line.startswith(fence) and not line.strip(fence[0]):
            return number
    return len(lines)
