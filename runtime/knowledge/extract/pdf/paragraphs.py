"""Lines of a PDF joined into paragraphs, over columns and pages: sentences are quoted and embedded later."""

# ruff: noqa: RUF001 - bullets as they are printed

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from satchel.runtime.knowledge.extract.pdf.headings import HeadingLines, PageHeadings
from satchel.runtime.knowledge.extract.pdf.hyphens import Hyphens
from satchel.runtime.knowledge.extract.pdf.lines import Line

_BULLET = re.compile(r"(?:[•◦▪▫●○■□–—‣⁃∙·*-]|[(\[]?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,4})[.)\]])\s+\S")
_NUMBER = re.compile(r"\d")
_SENTENCE_END = re.compile(r"[.!?:。！？：…]['\"”’»)\]]*$")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uff00-\uffef]")
_USUAL_PITCH = 1.2
_WIDER_GAP = 1.25
_OTHER_SIZE = 0.15
_INDENT = 0.7
_NEIGHBOURS = 10
_FILLED = 0.6
_ENOUGH = 4
_RAGGED = 1.5
# In sizes of the type: what is narrower is a list or a table, and no prose.
_NARROWEST_COLUMN = 12


@dataclass(slots=True)
class Paragraph:
    """A paragraph as it grows: its text page by page, since it may run over the end of one."""

    page: int
    parts: list[str] = field(default_factory=list)
    level: int = 0
    """A heading's level; 0 for plain text."""
    follows_closely: bool = False
    """It is the next line of a list or table, not set apart."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A line with what surrounds it."""

    line: Line
    page: int
    heading: HeadingLines | None
    flow: int
    """Lines below one another in one column."""
    left: float
    """Left border of the column."""
    right: float
    """Where lines of the column end when they are full."""


def join_lines(pages: Sequence[list[Line]], headings: PageHeadings, hyphens: Hyphens) -> Iterator[Paragraph]:
    """Yield the paragraphs of a document."""
    pitch = _pitch(pages)
    current: Paragraph | None = None
    before: _Place | None = None
    for page, lines in enumerate(pages):
        for place in _places(page, lines, headings.get(page, [])):
            break_kind = "start" if before is None else _break_between(before, place, pitch)
            if current is None or break_kind:
                if current is not None:
                    yield current
                level = place.heading.level if place.heading else 0
                current = Paragraph(page, [place.line.text], level, follows_closely=break_kind == "line")
            else:
                _append(current, place, before, hyphens)
            before = place
    if current is not None:
        yield current


def _append(paragraph: Paragraph, place: _Place, before: _Place | None, hyphens: Hyphens) -> None:
    """Put a line after the ones so far, on its own page; a word cut by the page's end stays whole on the first one."""
    assert before is not None
    text, last = place.line.text, paragraph.parts[-1]
    if before.line.hyphenated or _ends_in_hyphen(last, text):
        joined = hyphens.join(last, text)
    elif _UNSPACED.match(last[-1]) and _UNSPACED.match(text):
        joined = last + text
    else:
        joined = f"{last} {text}"
    if place.page == before.page:
        paragraph.parts[-1] = joined
        return
    # The part on the next page begins at its first whole word.
    tail = text.partition(" ")[2] if before.line.hyphenated or _ends_in_hyphen(last, text) else text
    paragraph.parts[-1] = joined[: len(joined) - len(tail)].rstrip() if tail else joined
    paragraph.parts += [""] * (place.page - paragraph.page - len(paragraph.parts))
    paragraph.parts.append(tail)


def _ends_in_hyphen(left: str, right: str) -> bool:
    """Tell a cut word that pdfium leaves unmarked: at the end of a page, and between digits."""
    return len(left) > 1 and left[-1] in "-\u00ad" and not left[-2].isspace() and right[0].isalnum()


def _break_between(a: _Place, b: _Place, pitch: float) -> str:  # noqa: PLR0911 - one rule after the other
    """Return "paragraph", "line" or, where the text runs on, ""."""
    if a.heading or b.heading:
        return "" if a.heading is not None and a.heading is b.heading else "paragraph"
    same_flow = a.page == b.page and a.flow == b.flow
    if same_flow and (a.line.hyphenated or _ends_in_hyphen(a.line.text, b.line.text)) and b.line.text[0].isalnum():
        return ""
    larger = max(a.line.size, b.line.size)
    if abs(a.line.size - b.line.size) > _OTHER_SIZE * larger:
        return "paragraph"
    ends = bool(_SENTENCE_END.search(a.line.text))
    if not same_flow:
        return _break_over_border(a, b, ends=ends)
    full = _is_full(a, b)
    if _starts_item(a, b, runs_on=full and (not ends or a.line.text[-1] == ":")):
        return "line" if _BULLET.match(a.line.text) or not ends else "paragraph"
    if a.line.baseline - b.line.baseline > _WIDER_GAP * pitch * larger:
        return "paragraph"
    if full and not (ends and _steps_aside(a, b)):
        return ""
    return "paragraph" if ends else "line"


def _starts_item(a: _Place, b: _Place, *, runs_on: bool) -> bool:
    """Tell the first line of a list item; a number within a sentence that happens to begin a line is none."""
    if not _BULLET.match(b.line.text):
        return False
    return not (runs_on and _NUMBER.match(b.line.text) and abs(a.line.left - b.line.left) < 1)


def _steps_aside(a: _Place, b: _Place) -> bool:
    """Tell a line that begins further right than its column, or that comes back from further right."""
    indent = _INDENT * b.line.size
    indented = b.line.left > b.left + indent and a.line.left <= a.left + indent and not _BULLET.match(a.line.text)
    return indented or (b.line.left < b.left - indent and a.line.left > b.line.left + indent)


def _break_over_border(a: _Place, b: _Place, *, ends: bool) -> str:
    """At the end of a page or column the text runs on when the last line is full and no sentence ends there."""
    if _BULLET.match(b.line.text) or b.line.left > b.left + _INDENT * b.line.size:
        return "paragraph"
    if b.line.text[0].islower() and not ends:
        return ""
    return "" if _is_full(a, b) and not ends else "paragraph"


def _is_full(a: _Place, b: _Place) -> bool:
    """Tell whether the first word of the next line would not have fitted on this one: then nobody ended the line."""
    if a.right - a.left < _NARROWEST_COLUMN * a.line.size:
        return False
    per_character = (b.line.right - b.line.left) / max(1, len(b.line.text))
    first_word = 1 if _UNSPACED.match(b.line.text) else len(b.line.text.split(" ", 1)[0])
    return a.line.right + (first_word + 1) * per_character > a.right - 0.5 * a.line.size


def _pitch(pages: Sequence[list[Line]]) -> float:
    """Return the commonest distance of baselines, in sizes of the type."""
    ratios: Counter[float] = Counter()
    for lines in pages:
        for a, b in pairwise(lines):
            gap = a.baseline - b.baseline
            if 0.8 * b.size < gap < 2.5 * b.size and abs(a.left - b.left) < b.size:
                ratios[round(gap / b.size, 1)] += 1
    return max(ratios, key=lambda ratio: ratios[ratio], default=_USUAL_PITCH) + 0.05


def _places(page: int, lines: list[Line], headings: list[HeadingLines]) -> list[_Place]:
    by_line = {place: heading for heading in headings for place in range(heading.first, heading.last + 1)}
    places: list[_Place] = []
    for flow, (start, end) in enumerate(_flows(lines)):
        column = lines[start:end]
        lefts: Counter[int] = Counter()
        for line in column:
            lefts[round(line.left)] += len(line.text)
        left = float(max(lefts, key=lambda value: lefts[value]))
        right = _border(column, lines)
        for place, line in enumerate(column):
            places.append(
                _Place(line, page, by_line.get(start + place), flow, left, _local_border(column, place, right))
            )
    return places


def _border(column: list[Line], page: list[Line]) -> float:
    """Return where full lines of a column end: where most of its own do, else where those of the page above it do."""
    right = max(line.right for line in column)
    full = sum(1 for line in column if line.right > right - _RAGGED * line.size)
    if len(column) >= _ENOUGH and full >= len(column) / 2:
        return right
    left = min(line.left for line in column)
    width = right - left
    over = sorted(line.right for line in page if min(line.right, right) - max(line.left, left) >= width / 2)
    # Not the widest: a title may run over both columns of a page.
    return max(right, over[len(over) * 9 // 10]) if over else right


def _local_border(column: list[Line], place: int, right: float) -> float:
    """Return where full lines end around a line: a quotation set narrower than its column has its own border."""
    line = column[place]
    if line.right > right - line.size:
        return right
    near = [
        other.right
        for other in column[max(0, place - _NEIGHBOURS) : place + _NEIGHBOURS + 1]
        if abs(other.left - line.left) < line.size / 4
    ]
    border = max(near)
    full = sum(1 for other in near if other > border - line.size)
    return border if len(near) >= _ENOUGH and full >= _FILLED * len(near) else right


def _flows(lines: list[Line]) -> Iterator[tuple[int, int]]:
    """Yield first and end line of each run of lines that stand below one another."""
    start = 0
    low = high = 0.0
    for place, line in enumerate(lines):
        if place > start:
            before = lines[place - 1]
            below = line.baseline < before.baseline - 0.2 * line.size
            if below and line.left < high and line.right > low and line.upright == before.upright:
                low, high = min(low, line.left), max(high, line.right)
                continue
            yield start, place
            start = place
        low, high = line.left, line.right
    if lines:
        yield start, len(lines)
