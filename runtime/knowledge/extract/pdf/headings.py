"""Which lines of a PDF are headings: by its outline where it has one, else by the size of the type."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from satchel.runtime.knowledge.extract.pdf.lines import Line

_SYMBOLS = re.compile(r"[\W_]+")
_LONGEST_NUMBER = 14
_NUMBERING = re.compile(r"(?:[^\W\d]{0,9}(?:\d+[a-z]?|[ivxlc]+)|[a-z])?")
_MOST_LINES = 4
_LARGER = 1.15
_LONGEST_HEADING = 200
_MOST_HEADINGS = 0.15
_LEVELS = 4


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """An entry of a PDF's outline; `level` 1 is the highest."""

    title: str
    level: int
    page: int


@dataclass(frozen=True, slots=True)
class HeadingLines:
    """A heading that takes the lines `first` to `last` of its page, both included."""

    first: int
    last: int
    level: int


PageHeadings = dict[int, list[HeadingLines]]


def find_headings(pages: Sequence[list[Line]], outline: Sequence[OutlineEntry]) -> PageHeadings:
    """Return the headings of each page, in the order of its lines."""
    found = _by_outline(pages, outline) if outline else {}
    found = found or _by_size(pages)
    return {page: sorted(headings, key=lambda heading: heading.first) for page, headings in found.items()}


def body_size(pages: Sequence[list[Line]]) -> float:
    """Return the size in which most characters are set, in half points; 0 without any."""
    sizes: Counter[float] = Counter()
    for lines in pages:
        for line in lines:
            sizes[round(line.size * 2) / 2] += len(line.text)
    return max(sizes, key=lambda size: sizes[size], default=0.0)


def _by_outline(pages: Sequence[list[Line]], outline: Sequence[OutlineEntry]) -> PageHeadings:
    found: PageHeadings = {}
    folded: dict[int, tuple[list[str], str]] = {}
    for entry in outline:
        title = _folded(entry.title)
        if not title:
            continue
        # Some writers point to the end of the page before.
        for page in (entry.page, entry.page + 1):
            if not 0 <= page < len(pages):
                continue
            if page not in folded:
                lines = [_folded(line.text) for line in pages[page]]
                folded[page] = lines, "".join(lines)
            lines, text = folded[page]
            # What `_find` matches ends as the title does; looking for that first matters with thousands of entries.
            if title[-_LONGEST_NUMBER - 1 :] not in text:
                continue
            taken = {line for heading in found.get(page, ()) for line in range(heading.first, heading.last + 1)}
            if (span := _find(title, lines, taken)) is not None:
                found.setdefault(page, []).append(HeadingLines(*span, min(entry.level, 6)))
                break
    return found


def _find(title: str, lines: list[str], taken: set[int]) -> tuple[int, int] | None:
    """Return the fewest lines that hold nothing but a title, perhaps with its number; after those taken if possible."""
    start = max(taken, default=-1) + 1
    for last in (*range(start, len(lines)), *range(start)):
        text = ""
        for first in range(last, max(-1, last - _MOST_LINES), -1):
            text = lines[first] + text
            if len(text) > len(title) + _LONGEST_NUMBER or first in taken:
                break
            if _is_titled(text, title) or (len(text) > _LONGEST_NUMBER and _is_titled(title, text)):
                return first, last
    return None


def _is_titled(text: str, title: str) -> bool:
    """Tell whether a folded text is a title, with nothing but its number before: "3.1", "Chapter IV"."""
    return text.endswith(title) and bool(_NUMBERING.fullmatch(text.removesuffix(title)))


def _by_size(pages: Sequence[list[Line]]) -> PageHeadings:
    body = body_size(pages)
    found: PageHeadings = {}
    sizes: Counter[float] = Counter()
    count = 0
    for page, lines in enumerate(pages):
        first = 0
        while first < len(lines):
            last = first
            if _is_large(lines[first], body):
                while last + 1 < len(lines) and _goes_on(lines[last], lines[last + 1]):
                    last += 1
                if sum(len(line.text) for line in lines[first : last + 1]) <= _LONGEST_HEADING:
                    size = round(lines[first].size)
                    sizes[size] += 1
                    count += last - first + 1
                    found.setdefault(page, []).append(HeadingLines(first, last, size))
            first = last + 1
    if count > _MOST_HEADINGS * sum(map(len, pages)) and len(pages) > 1:
        return {}
    levels = {size: min(place, _LEVELS) for place, size in enumerate(sorted(sizes, reverse=True), 1)}
    return {
        page: [HeadingLines(heading.first, heading.last, levels[heading.level]) for heading in headings]
        for page, headings in found.items()
    }


def _is_large(line: Line, body: float) -> bool:
    return (
        line.size >= body * _LARGER
        and line.upright
        and sum(map(str.isalpha, line.text)) > 1
        and line.text[-1] not in ".,;"
    )


def _goes_on(line: Line, following: Line) -> bool:
    same_size = abs(line.size - following.size) < line.size / 20
    return same_size and 0 < line.baseline - following.baseline < line.size * 1.6


def _folded(text: str) -> str:
    return _SYMBOLS.sub("", unicodedata.normalize("NFKC", text).casefold())
