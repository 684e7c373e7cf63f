"""A PDF page's lines of text with where they stand, by pdfium.

Page text comes from pdfium alone, in the order of the page's own content. Only four figures a line are asked for, and
not one per character, which would take longer than the text itself.
"""

from __future__ import annotations

import ctypes
import math
import re
from dataclasses import dataclass, replace
from typing import Any

LINE_HYPHEN = "\ufffe"
"""What pdfium puts for a hyphen at the end of a line, in place of the hyphen and the line end."""

_BREAKS = re.compile(f"([\n{LINE_HYPHEN}])")
_LEADERS = re.compile(r"(?:\s?[.·…_]){5,}\s*")
_LEAST_LEADERS = 5
_LAST_CHARACTER = 0.45
_SAME_LINE = 0.3
_RAISED = 0.6
_UPRIGHT = 0.02
_WIDEST_GAP = 1.5


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text.

    Coordinates are in points along the direction of reading: `left` to `right` on the line, `baseline` falling from
    line to line, whatever way a page is turned.
    """

    text: str
    left: float
    right: float
    baseline: float
    size: float
    """Size of the type in points, by a character in the middle of the line."""
    hyphenated: bool = False
    """A word was cut at the end of the line; the hyphen is still in the text."""
    upright: bool = True


class PageReader:
    """Reads pages into lines; holds the C buffers that every call needs."""

    def __init__(self) -> None:
        import pypdfium2.raw as pdfium

        self._pdfium = pdfium
        self._x, self._y = ctypes.c_double(), ctypes.c_double()
        self._matrix = pdfium.FS_MATRIX()

    def read(self, page: Any) -> list[Line]:
        """Return the lines of a `pypdfium2.PdfPage`."""
        text_page = page.get_textpage()
        try:
            return _joined_baselines(self._lines(text_page.raw, text_page.get_text_range()))
        finally:
            text_page.close()

    def _lines(self, handle: Any, text: str) -> list[Line]:
        # Text and characters are counted apart: pdfium leaves some characters out of the text. It counts UTF-16 units.
        aligned = self._pdfium.FPDFText_CountChars(handle) == _units(text)
        lines: list[Line] = []
        unit = 0
        for part in _BREAKS.split(text):
            visible = part.strip()
            if part == LINE_HYPHEN and lines:
                lines[-1] = replace(lines[-1], text=f"{lines[-1].text}-", hyphenated=True)
            elif visible:
                start = unit + len(part) - len(part.lstrip())
                middle = len(visible) // 2
                while visible[middle].isspace():
                    middle += 1
                places = (start, start + _units(visible[:middle]), start + _units(visible[:-1]))
                if not aligned:
                    places = tuple(map(self._pdfium.FPDFText_GetCharIndexFromTextIndex, [handle] * 3, places))
                lines.append(self._line(handle, visible, *places))
            unit += _units(part)
        return lines

    def _line(self, handle: Any, text: str, first: int, middle: int, last: int) -> Line:
        size = self._pdfium.FPDFText_GetFontSize(handle, middle)
        if self._pdfium.FPDFText_GetMatrix(handle, middle, self._matrix):
            size *= math.hypot(self._matrix.c, self._matrix.d)
        x, y = self._origin(handle, first)
        end_x, end_y = self._origin(handle, last)
        angle = 0.0
        if abs(end_y - y) > size * _SAME_LINE:  # turned, or only the last character raised
            angle = math.remainder(self._pdfium.FPDFText_GetCharAngle(handle, middle), 2 * math.pi)
        upright = abs(angle) < _UPRIGHT
        if not upright:
            (x, y), (end_x, _) = _turned(x, y, angle), _turned(end_x, end_y, angle)
        # A line from right to left begins at its right.
        left, right = min(x, end_x), max(x, end_x) + size * _LAST_CHARACTER
        if sum(map(text.count, ".·…_")) >= _LEAST_LEADERS:
            text = _LEADERS.sub(" … ", text).strip()
        return Line(text, left, right, y, size, upright=upright)

    def _origin(self, handle: Any, character: int) -> tuple[float, float]:
        self._pdfium.FPDFText_GetCharOrigin(handle, character, self._x, self._y)
        return self._x.value, self._y.value


def _joined_baselines(lines: list[Line]) -> list[Line]:
    """Join what pdfium takes apart at raised characters: pieces of one line that follow each other closely."""
    joined: list[Line] = []
    for line in lines:
        before = joined[-1] if joined else None
        if before and _is_same_line(before, line):
            joined[-1] = replace(
                line,
                text=f"{before.text} {line.text}",
                left=before.left,
                baseline=line.baseline if _is_mark(before) else before.baseline,
                size=max(before.size, line.size),
            )
        else:
            joined.append(line)
    return joined


def _is_same_line(before: Line, line: Line) -> bool:
    if before.hyphenated or before.upright != line.upright:
        return False
    near = -_SAME_LINE * line.size <= line.left - before.right <= _WIDEST_GAP * line.size
    raised = _RAISED if _is_mark(before) else _SAME_LINE
    return near and abs(before.baseline - line.baseline) <= raised * min(before.size, line.size)


def _is_mark(line: Line) -> bool:
    """Tell the mark of a footnote, which stands raised before its text."""
    return len(line.text) <= 3 and not line.text.isalpha()  # noqa: PLR2004 - three digits


def _turned(x: float, y: float, angle: float) -> tuple[float, float]:
    """Return a point as (along the line, across it and rising); pdfium measures the angle clockwise."""
    cosine, sine = math.cos(angle), math.sin(angle)
    return x * cosine - y * sine, x * sine + y * cosine


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
