"""Draws pages as a scanner sees them: text in one or more columns, askew, with noise, small, compressed."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from helpers.documents import Heading

needs_ocr = pytest.mark.skipif(
    importlib.util.find_spec("rapidocr") is None, reason="the extra `ocr` is not installed: nothing reads pictures"
)

_A4_INCHES = (8.27, 11.69)
_MARGIN = 0.8
_GAP = 0.35
_PITCH = 1.4


@dataclass(frozen=True, slots=True)
class Scanner:
    """How a page comes out."""

    dpi: int = 150
    skew: float = 0.0
    """Degrees, against the clock."""
    noise: float = 0.0
    """Standard deviation of the grey values, 0 to 255."""
    jpeg_quality: int = 0
    """0: kept as it is."""


CLEAN = Scanner()


@dataclass(frozen=True, slots=True)
class DrawnPage:
    """A page's picture, and its lines in the order of reading."""

    picture: Any
    """A `PIL.Image.Image` in grey."""
    lines: tuple[str, ...]
    blocks: int
    """How many paragraphs and headings had room."""


def draw_page(
    blocks: Sequence[str | Heading],
    *,
    columns: int = 1,
    size: float = 11,
    header: str = "",
    footer: str = "",
    scanner: Scanner = CLEAN,
    seed: int = 0,
) -> DrawnPage:
    """Draw paragraphs and headings until an A4 page is full; `size` is the type's, in points."""
    from PIL import Image, ImageDraw

    dpi = scanner.dpi
    width, height = (round(inches * dpi) for inches in _A4_INCHES)
    margin, gap = round(_MARGIN * dpi), round(_GAP * dpi)
    column = (width - 2 * margin - gap * (columns - 1)) // columns
    picture = Image.new("L", (width, height), 255)
    pen = ImageDraw.Draw(picture)
    lines: list[str] = []
    place, top = 0, margin
    count = 0
    for count, block in enumerate(blocks):  # noqa: B007 - how many it were
        is_heading = isinstance(block, Heading)
        font = _font(round(size * (1.5 if is_heading else 1) * dpi / 72))
        pitch = round(font.size * _PITCH)
        wrapped = _wrapped(block.text if is_heading else block, font, column)
        for line in wrapped:
            if top + pitch > height - margin:
                place, top = place + 1, margin
            if place == columns:
                break
            pen.text((margin + place * (column + gap), top), line, font=font, fill=20)
            lines.append(line)
            top += pitch
        if place == columns:
            break
        top += round(font.size * 0.7)
    else:
        count += 1
    small = _font(round(9 * dpi / 72))
    pen.text((margin, margin // 2), header, font=small, fill=20)
    pen.text((width // 2, height - margin // 2), footer, font=small, fill=20)
    return DrawnPage(_scanned(picture, scanner, seed), tuple(lines), count)


def write_scan(path: Path, pictures: Sequence[Any | str]) -> Path:
    """Write a PDF of pictures, an A4 page each; a string becomes a page of real text."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.utils import ImageReader, simpleSplit
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(path), pagesize=A4, invariant=1)
    for picture in pictures:
        if isinstance(picture, str):
            for number, line in enumerate(simpleSplit(picture, "Times-Roman", 11, A4[0] - 120)):
                canvas.setFont("Times-Roman", 11)
                canvas.drawString(60, A4[1] - 80 - 15 * number, line)
        else:
            canvas.drawImage(ImageReader(picture), 0, 0, *A4)
        canvas.showPage()
    canvas.save()
    return path


def _font(pixels: int) -> Any:
    import reportlab
    from PIL import ImageFont

    return ImageFont.truetype(str(Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"), pixels)


def _wrapped(text: str, font: Any, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _scanned(picture: Any, scanner: Scanner, seed: int) -> Any:
    import numpy as np
    from PIL import Image, ImageFilter

    if scanner.skew:
        picture = picture.rotate(scanner.skew, resample=Image.Resampling.BICUBIC, fillcolor=250)
    if scanner.noise:
        grey = np.asarray(picture, float)
        grey = grey + np.random.default_rng(seed).normal(0, scanner.noise, grey.shape)
        picture = Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.6))
    if scanner.jpeg_quality:
        kept = io.BytesIO()
        picture.save(kept, "JPEG", quality=scanner.jpeg_quality)
        picture = Image.open(io.BytesIO(kept.getvalue()))
        picture.load()
    return picture
