"""Running headers, footers and page numbers: found by what repeats at one height, and taken out where that is safe.

Safe means: the line holds the page's own number, or it repeats and its words stand elsewhere in the document as well.
A repeated line that stands nowhere else (the head of a long table, a letterhead) is kept where it comes first.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from satchel.runtime.knowledge.extract.pdf.lines import Line

_LEAST_PAGES = 3
_EDGE_LINES = 2
_HEIGHT_BUCKET = 3.0
_REPEATS = 0.4
_NUMBER = re.compile(r"\d+")
_ROMAN = re.compile(r"(?=[mdclxvi])m{0,3}(?:cm|cd|d?c{0,3})(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,3})", re.IGNORECASE)
_ROMAN_VALUES = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100, "d": 500, "m": 1000}


@dataclass(frozen=True, slots=True)
class _EdgeLine:
    """A line among the first or last of its page."""

    page: int
    place: int
    height: int
    signature: str
    numbers: tuple[int, ...]
    text: str


def without_furniture(pages: Sequence[list[Line]]) -> list[list[Line]]:
    """Return the pages without their furniture: nobody misses it, so nothing is said about it.

    Where nothing else would be left, all is kept: a document of page numbers is about them.
    """
    edges = _edge_lines(pages)
    numbered = _numbered(edges)
    repeated = _repeated(edges, numbered, sum(1 for lines in pages if lines))
    kept_once = _words_found_nowhere_else(pages, repeated)
    seen: set[str] = set()
    dropped: dict[int, set[int]] = defaultdict(set)
    for edge in edges:
        if edge in numbered:
            dropped[edge.page].add(edge.place)
        elif edge in repeated:
            if edge.signature in kept_once and edge.signature not in seen:
                seen.add(edge.signature)
                continue
            dropped[edge.page].add(edge.place)
    left = [
        [line for place, line in enumerate(lines) if place not in dropped.get(page, ())]
        for page, lines in enumerate(pages)
    ]
    return left if any(left) else [*pages]


def _edge_lines(pages: Sequence[list[Line]]) -> list[_EdgeLine]:
    edges: list[_EdgeLine] = []
    for page, lines in enumerate(pages):
        heights = sorted({line.baseline for line in lines if line.upright})
        outer = {*heights[:_EDGE_LINES], *heights[-_EDGE_LINES:]}
        for place, line in enumerate(lines):
            if line.upright and line.baseline in outer:
                height = round(line.baseline / _HEIGHT_BUCKET)
                numbers = tuple(map(int, _NUMBER.findall(line.text)))[:4] if len(line.text) < 200 else ()  # noqa: PLR2004 - no header is longer
                signature = _NUMBER.sub("#", line.text.casefold())
                if not numbers and _ROMAN.fullmatch(line.text):
                    signature, numbers = "roman", (_roman_value(line.text),)
                edges.append(_EdgeLine(page, place, height, signature, numbers, line.text))
    return edges


def _numbered(edges: list[_EdgeLine]) -> set[_EdgeLine]:
    """Return the lines that hold their page's number: at one height, pages apart as many as the numbers are."""
    offsets: Counter[tuple[int, bool, int]] = Counter()
    for edge in edges:
        roman = edge.signature == "roman"
        for offset in {number - edge.page for number in edge.numbers}:
            # The height next to the bucket's counts as well: a bucket's border may run through a line.
            offsets[edge.height, roman, offset] += 1
    numbering = {key for key, count in offsets.items() if count >= _LEAST_PAGES}
    return {
        edge
        for edge in edges
        if any(
            (height, edge.signature == "roman", number - edge.page) in numbering
            for number in edge.numbers
            for height in (edge.height - 1, edge.height, edge.height + 1)
        )
        and _is_page_line(edge)
    }


def _is_page_line(edge: _EdgeLine) -> bool:
    """A page number begins or ends its line; one within a sentence is a coincidence."""
    return edge.signature in {"roman", "#"} or bool(re.match(r"\W*#|.*#\W*$|page #|seite #", edge.signature))


def _repeated(edges: list[_EdgeLine], numbered: set[_EdgeLine], pages: int) -> set[_EdgeLine]:
    """Return lines without a page number that stand on many pages at one height."""
    groups: dict[tuple[int, str], list[_EdgeLine]] = defaultdict(list)
    for edge in edges:
        if edge not in numbered and "#" not in edge.signature:
            groups[edge.height, edge.signature].append(edge)
    repeated: set[_EdgeLine] = set()
    heights: Counter[int] = Counter(edge.height for edge in numbered)
    for (height, _), group in groups.items():
        # Titles of chapters repeat on few pages, but at the height where every page has its header.
        enough = _LEAST_PAGES if heights[height] >= pages * _REPEATS else max(_LEAST_PAGES, pages * _REPEATS)
        if len(group) >= enough:
            repeated.update(group)
    return repeated


def _words_found_nowhere_else(pages: Sequence[list[Line]], repeated: set[_EdgeLine]) -> set[str]:
    """Return the signatures of repeated lines whose words are in no other line."""
    if not repeated:
        return set()
    places = {(edge.page, edge.place) for edge in repeated}
    body = " ".join(
        line.text for page, lines in enumerate(pages) for place, line in enumerate(lines) if (page, place) not in places
    ).casefold()
    return {signature for signature in {edge.signature for edge in repeated} if signature not in body}


def _roman_value(text: str) -> int:
    values = [_ROMAN_VALUES[letter] for letter in text.lower()]
    return sum(-value if value < max(values[place:]) else value for place, value in enumerate(values))
