"""A PDF's page as a picture, and where on it a quotation stands."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from satchel.runtime.knowledge.extract.pdf.opening import open_document
from satchel.runtime.knowledge.extract.protocol import Source

MOST_PIXELS = 4000
"""On the longer side: a poster is drawn smaller than it was asked for."""
_COLOURS = 3
_END = 40
"""Letters at either end of a quotation that is not on the page as a whole, by which its place is looked for."""


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A marked line, in pixels from the picture's top left corner."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class PagePicture:
    """Pixels of three bytes (red, green, blue), rows one after another without padding."""

    width: int
    height: int
    pixels: bytes
    marks: tuple[Rectangle, ...]
    points: float
    """Length of a pixel."""


def open_pages(source: Source) -> Any:
    """Return a `pypdfium2.PdfDocument` to draw from; raises what `open_document` does."""
    return open_document(source, lambda _done, _total: None)


def draw_page(
    document: Any, page: int, *, width: int, longest: int = MOST_PIXELS, quote: str = "", near: float = 0.0
) -> PagePicture:
    """Draw a page, counted from 1, so many pixels wide, and find the lines of a quotation on it.

    Its longer side has at most `longest` pixels.
    `near` (0 to 1) is how far down the page's text the quotation begins: it may stand there twice.
    """
    opened = document[page - 1]
    try:
        points_wide, points_high = opened.get_size()
        scale = min(width / max(points_wide, 1.0), min(longest, MOST_PIXELS) / max(points_wide, points_high, 1.0))
        bitmap = opened.render(scale=scale, rev_byteorder=True, may_draw_forms=False)
        place = bitmap.get_posconv(opened)
        marks = tuple(_marks(opened, place, quote, near)) if quote else ()
        row = bitmap.width * 3
        raw = memoryview(bitmap.buffer).cast("B")
        channels = bitmap.n_channels
        if channels == _COLOURS and bitmap.stride == row:
            pixels = bytes(raw)
        else:
            pixels = _packed(raw, bitmap.width, bitmap.height, bitmap.stride, channels)
        return PagePicture(bitmap.width, bitmap.height, pixels, marks, 1 / scale)
    finally:
        opened.close()


def _packed(raw: memoryview, width: int, height: int, stride: int, channels: int) -> bytes:
    """Return rows without padding and without a fourth channel."""
    import numpy as np

    rows = np.frombuffer(raw, np.uint8, height * stride).reshape(height, stride)[:, : width * channels]
    coloured = rows.reshape(height, width, channels)
    return (coloured[:, :, :3] if channels >= _COLOURS else np.repeat(coloured[:, :, :1], 3, axis=2)).tobytes()


def _marks(page: Any, place: Any, quote: str, near: float) -> Iterator[Rectangle]:
    text = page.get_textpage()
    try:
        letters, characters = _letters_of(text)
        found = find_quote(letters, _plain(quote), near)
        if found is None:
            return
        line: tuple[float, float, float, float] | None = None
        for number in characters[found[0] : found[1]]:
            left, bottom, right, top = text.get_charbox(number)
            x1, y1 = place.to_bitmap(left, top)
            x2, y2 = place.to_bitmap(right, bottom)
            box = (min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
            if line is not None and _same_line(line, box):
                line = (min(line[0], box[0]), min(line[1], box[1]), max(line[2], box[2]), max(line[3], box[3]))
                continue
            if line is not None:
                yield _rectangle(line)
            line = box
        if line is not None:
            yield _rectangle(line)
    finally:
        text.close()


def find_quote(letters: str, quote: str, near: float) -> tuple[int, int] | None:
    """Return where a quotation's letters begin and end among a page's; by its two ends where it is not there whole."""
    if not quote:
        return None
    if (start := _nearest(letters, quote, near)) is not None:
        return start, start + len(quote)
    first = _nearest(letters, quote[:_END], near)
    expected = near if first is None else (first + len(quote)) / len(letters)
    last = _nearest(letters, quote[-_END:], expected)
    if first is not None and last is not None and 0 <= last - first <= 2 * len(quote):
        return first, last + min(_END, len(quote))
    if first is not None:
        return first, min(len(letters), first + len(quote))
    if last is not None:
        end = last + min(_END, len(quote))
        return max(0, end - len(quote)), end
    return None


def _nearest(letters: str, wanted: str, near: float) -> int | None:
    """Return the occurrence that is nearest to a place, given as a part of the whole."""
    best: int | None = None
    at = letters.find(wanted)
    while at >= 0:
        if best is None or abs(at - near * len(letters)) < abs(best - near * len(letters)):
            best = at
        at = letters.find(wanted, at + 1)
    return best


def _letters_of(text: Any) -> tuple[str, list[int]]:
    """Return a page's letters and digits, and for each the number of its character: hyphens, spaces, lines go."""
    import pypdfium2.raw as pdfium

    letters: list[str] = []
    characters: list[int] = []
    for number in range(text.count_chars()):
        plain = _plain(chr(pdfium.FPDFText_GetUnicode(text, number)))
        letters.append(plain)
        characters += [number] * len(plain)
    return "".join(letters), characters


def _plain(text: str) -> str:
    return "".join(character for character in unicodedata.normalize("NFKC", text).casefold() if character.isalnum())


def _same_line(line: tuple[float, float, float, float], box: tuple[float, float, float, float]) -> bool:
    """Tell whether a character stands on a line: it overlaps it by half of its height, and follows to its right."""
    overlap = min(line[3], box[3]) - max(line[1], box[1])
    return overlap > 0.5 * min(line[3] - line[1], box[3] - box[1]) and box[0] >= line[0]


def _rectangle(box: tuple[float, float, float, float]) -> Rectangle:
    return Rectangle(box[0], box[1], box[2] - box[0], box[3] - box[1])
