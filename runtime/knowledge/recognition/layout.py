"""From pieces of text that were found somewhere on a picture to lines in the order of reading.

A page may lie askew and have columns. Lines come out as those of a PDF's own text do (`extract.pdf.lines.Line`), so
that everything after them, paragraphs, headings, running headers, is the same.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from satchel.runtime.knowledge.extract.pdf.lines import Line

VERSION = 1
"""Raised when the same pieces give other lines."""

_TYPE_SIZE = 1 / 1.2
"""The size of the type as a share of a piece's height, which holds ascenders, descenders and a rim."""
_LONG = 4
"""A piece so many times as long as it is high shows how askew the page lies."""
_UPRIGHT = 1.5
_SAME_ROW = 0.5
_SAME_SIZE = 0.25
_SAME_LEFT = 0.6
_DESCENDERS = 0.3
_COLUMN_LINES = 3
_COLUMN_WIDTH = 6
"""In heights of a line: what is narrower is a table's column and read row by row."""
_BESIDE = 0.5
_OVER_THE_EDGE = 0.3


@dataclass(frozen=True, slots=True)
class Piece:
    """Text at one place of a picture; corners in pixels from the picture's top left, clockwise from the piece's own."""

    text: str
    corners: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class _Box:
    """A piece on the page put straight."""

    text: str
    left: float
    right: float
    middle: float
    """Down the page; steadier than top or bottom, which depend on the letters."""
    height: float


def arrange(pieces: Sequence[Piece], *, width: int, height: int, points: float) -> tuple[Line, ...]:
    """Return the lines of a picture of so many pixels; `points` is the length of a pixel.

    What runs up or down the page comes last, as lines that are not upright.
    """
    angle = _skew(pieces)
    straight = [_straightened(piece, angle, width / 2, height / 2) for piece in pieces]
    upright = [box for box in straight if box.right - box.left >= box.height / _UPRIGHT or len(box.text) <= 1]
    body = _body_height(upright)
    lines: list[Line] = []
    for column in _columns(upright, body):
        rows = _rows(column)
        lefts = _aligned([row.left for row in rows], _SAME_LEFT * body)
        for row, left in zip(rows, lefts, strict=True):
            size = body if abs(row.height - body) <= _SAME_SIZE * body else row.height
            baseline = (height - row.middle - _DESCENDERS * body) * points
            lines.append(Line(row.text, left * points, row.right * points, baseline, size * _TYPE_SIZE * points))
    for box in straight:
        if box not in upright:
            along = (height - box.middle) * points
            size = max(1.0, box.right - box.left) * _TYPE_SIZE * points
            lines.append(Line(box.text, along, along + box.height * points, -box.left * points, size, upright=False))
    return tuple(lines)


def _skew(pieces: Sequence[Piece]) -> float:
    """Return by which angle, in radians and clockwise, the lines fall to the right."""
    angles = []
    for piece in pieces:
        (x1, y1), (x2, y2), (x3, y3), (x4, y4) = piece.corners
        along, down = x2 - x1 + x3 - x4, y2 - y1 + y3 - y4
        if along > _LONG * abs(y4 - y1 + y3 - y2):
            angles.append(math.atan2(down, along))
    return median(angles) if angles else 0.0


def _straightened(piece: Piece, angle: float, x0: float, y0: float) -> _Box:
    cosine, sine = math.cos(angle), math.sin(angle)
    corners = [
        (x0 + (x - x0) * cosine + (y - y0) * sine, y0 - (x - x0) * sine + (y - y0) * cosine) for x, y in piece.corners
    ]
    (x1, y1), (x2, y2), (x3, y3), (x4, y4) = corners
    return _Box(
        piece.text,
        left=(x1 + x4) / 2,
        right=(x2 + x3) / 2,
        middle=(y1 + y2 + y3 + y4) / 4,
        height=max(1.0, (y4 + y3 - y1 - y2) / 2),
    )


def _body_height(boxes: Sequence[_Box]) -> float:
    """Return the height of most of the text: the median, each box counted by its letters."""
    ordered = sorted(boxes, key=lambda box: box.height)
    half = sum(len(box.text) for box in ordered) / 2
    so_far = 0
    for box in ordered:
        so_far += len(box.text)
        if so_far >= half:
            return box.height
    return 1.0


def _columns(boxes: Sequence[_Box], body: float) -> Iterator[list[_Box]]:
    """Yield what is read from top to bottom, one after the other.

    Where a gutter parts two columns, what crosses it (a title, a wide figure's caption) parts them from those below.
    """
    gutter = _gutter(boxes, body)
    if gutter is None:
        if boxes:
            yield sorted(boxes, key=lambda box: box.middle)
        return
    edge = _OVER_THE_EDGE * body
    left: list[_Box] = []
    right: list[_Box] = []
    across: list[_Box] = []
    for box in sorted(boxes, key=lambda box: box.middle):
        crosses = box.left < gutter - edge and box.right > gutter + edge
        if crosses and (left or right):
            yield from _both(across, left, right, body)
            left, right, across = [], [], []
        (across if crosses else left if box.left + box.right < 2 * gutter else right).append(box)
    yield from _both(across, left, right, body)


def _both(across: list[_Box], left: list[_Box], right: list[_Box], body: float) -> Iterator[list[_Box]]:
    if across:
        yield across
    yield from _columns(left, body)
    yield from _columns(right, body)


def _gutter(boxes: Sequence[_Box], body: float) -> float | None:
    """Return where columns of prose stand side by side: the left edge of the right one; None where none do."""
    best: tuple[float, float] | None = None
    edge = _OVER_THE_EDGE * body
    for x in {round(box.left) for box in boxes}:
        left = [box for box in boxes if box.right <= x + edge]
        right = [box for box in boxes if box.left >= x - edge]
        crossing = len(boxes) - len(left) - len(right)
        worth = min(len(left), len(right)) - 2 * crossing
        if worth < _COLUMN_LINES or (best is not None and (worth, x) <= best):
            continue
        if _is_prose(left, body) and _is_prose(right, body) and _stand_beside(left, right):
            best = worth, x
    return best[1] if best is not None else None


def _is_prose(boxes: Sequence[_Box], body: float) -> bool:
    return median(box.right - box.left for box in boxes) >= _COLUMN_WIDTH * body


def _stand_beside(left: Sequence[_Box], right: Sequence[_Box]) -> bool:
    """Tell whether two groups share most of the shorter one's height."""
    spans = [(min(box.middle for box in group), max(box.middle for box in group)) for group in (left, right)]
    shared = min(end for _, end in spans) - max(start for start, _ in spans)
    return shared >= _BESIDE * min(end - start for start, end in spans) and shared > 0


def _rows(column: Sequence[_Box]) -> list[_Box]:
    """Join what stands on one line: a recogniser takes lines apart at wide spaces."""
    rows: list[list[_Box]] = []
    for box in column:
        last = rows[-1] if rows else []
        if last and abs(last[0].middle - box.middle) < _SAME_ROW * min(last[0].height, box.height):
            last.append(box)
        else:
            rows.append([box])
    return [_joined(sorted(row, key=lambda box: box.left)) for row in rows]


def _joined(row: Sequence[_Box]) -> _Box:
    if len(row) == 1:
        return row[0]
    tallest = max(row, key=lambda box: len(box.text))
    text = " ".join(box.text for box in row)
    return _Box(text, row[0].left, max(box.right for box in row), tallest.middle, tallest.height)


def _aligned(values: Sequence[float], tolerance: float) -> list[float]:
    """Return values with those that hardly differ set to the commonest among them: a margin is a line, not a cloud."""
    ordered = sorted(values)
    place: dict[float, float] = {}
    start = 0
    for end in range(1, len(ordered) + 1):
        if (
            end == len(ordered)
            or ordered[end] - ordered[end - 1] > tolerance / 2
            or ordered[end] - ordered[start] > tolerance
        ):
            group = Counter(round(value) for value in ordered[start:end])
            margin = float(max(group, key=lambda value: group[value]))
            place.update(dict.fromkeys(ordered[start:end], margin))
            start = end
    return [place[value] for value in values]
