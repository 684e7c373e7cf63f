"""Writes real documents of every format, for everybody's tests. Each function writes `path` and returns it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading in a written document."""

    text: str
    level: int = 1


Block = str | Heading | Rows
"""A paragraph, a heading, or the rows of a table."""


@dataclass(frozen=True, slots=True)
class Slide:
    """One slide of a presentation."""

    title: str
    points: Sequence[str] = ()
    notes: str = ""
    table: Rows = ()


def write_pdf(
    path: Path,
    pages: Sequence[Sequence[str | Heading]],
    *,
    outline: bool = True,
    first_label: int = 1,
    label_style: str = "ARABIC",
    running_header: str = "",
    page_numbers: bool = False,
    password: str | None = None,
    font_file: Path | None = None,
) -> Path:
    """Write an A4 PDF, one list of paragraphs and headings a page.

    `label_style` is `ARABIC`, `ROMAN_LOWER` or another of reportlab's; `password` is the one to open it with;
    `font_file` is a TrueType font for scripts that Times lacks. Bit-identical from run to run unless encrypted.
    """
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import Paragraph

    font = "Times-Roman"
    if font_file is not None:
        font = font_file.stem
        pdfmetrics.registerFont(TTFont(font, str(font_file)))
    encryption = StandardEncryption(password, ownerPassword="owner", strength=128) if password else None
    canvas = Canvas(str(path), pagesize=A4, invariant=1, encrypt=encryption)
    body = ParagraphStyle("body", fontName=font, fontSize=11, leading=14)
    width, height = A4
    for number, blocks in enumerate(pages):
        canvas.addPageLabel(number, label_style, first_label + number)
        canvas.setFont(font, 9)
        if running_header:
            canvas.drawString(72, height - 40, running_header)
        if page_numbers:
            canvas.drawCentredString(width / 2, 30, str(first_label + number))
        top = height - 72
        for block in blocks:
            if isinstance(block, Heading):
                size = 20 - 3 * block.level
                style = ParagraphStyle("heading", fontName=font, fontSize=size, leading=1.3 * size)
                paragraph = Paragraph(block.text, style)
            else:
                paragraph = Paragraph(block, body)
            _, used = paragraph.wrap(width - 144, height)
            top -= used
            paragraph.drawOn(canvas, 72, top)
            if isinstance(block, Heading) and outline:
                key = f"{number}-{block.text}"
                canvas.bookmarkHorizontalAbsolute(key, top + used)
                canvas.addOutlineEntry(block.text, key, block.level - 1)
            top -= 8
        canvas.showPage()
    canvas.save()
    return path


def write_scanned_pdf(path: Path, pages: int = 2) -> Path:
    """Write a PDF of pictures only, as a scanner does."""
    from PIL import Image
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(path), invariant=1)
    picture = ImageReader(Image.new("L", (60, 80), 200))
    for _ in range(pages):
        canvas.drawImage(picture, 50, 50, 400, 600)
        canvas.showPage()
    canvas.save()
    return path


def write_docx(path: Path, blocks: Sequence[Block]) -> Path:
    """Write a Word document."""
    import docx

    document = docx.Document()
    for block in blocks:
        if isinstance(block, str):
            document.add_paragraph(block)
        elif isinstance(block, Heading):
            document.add_heading(block.text, block.level)
        else:
            table = document.add_table(len(block), len(block[0]))
            for row, cells in zip(table.rows, block, strict=True):
                for cell, value in zip(row.cells, cells, strict=True):
                    cell.text = str(value)
    document.save(str(path))
    return path


def write_pptx(path: Path, slides: Sequence[Slide]) -> Path:
    """Write a PowerPoint presentation."""
    import pptx
    from pptx.util import Inches

    presentation = pptx.Presentation()
    for content in slides:
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = content.title
        slide.placeholders[1].text = "\n".join(content.points)
        if content.notes:
            slide.notes_slide.notes_text_frame.text = content.notes
        if content.table:
            rows, columns = len(content.table), len(content.table[0])
            frame = slide.shapes.add_table(rows, columns, Inches(1), Inches(3), Inches(6), Inches(2))
            for row, cells in enumerate(content.table):
                for column, value in enumerate(cells):
                    frame.table.cell(row, column).text = str(value)
    presentation.save(str(path))
    return path


def write_xlsx(path: Path, sheets: Mapping[str, Rows], *, merges: Mapping[str, Sequence[str]] | None = None) -> Path:
    """Write an Excel workbook: sheet name -> rows; `merges` names ranges to merge by sheet, such as `A1:B1`."""
    import openpyxl

    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
        for merge in (merges or {}).get(name, ()):
            sheet.merge_cells(merge)
    workbook.save(path)
    return path


def write_epub(path: Path, chapters: Sequence[tuple[str, str]], *, language: str = "en") -> Path:
    """Write an EPUB 3 book: (title, HTML of the body) for each chapter."""
    names = [f"chapter{number}.xhtml" for number in range(1, len(chapters) + 1)]
    items = "".join(f'<item id="{n}" href="{n}" media-type="application/xhtml+xml"/>' for n in names)
    order = "".join(f'<itemref idref="{name}"/>' for name in names)
    links = "".join(f'<li><a href="{n}">{title}</a></li>' for n, (title, _) in zip(names, chapters, strict=True))
    parts = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<?xml version="1.0"?><container version="1.0" '
        'xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="OEBPS/book.opf" '
        'media-type="application/oebps-package+xml"/></rootfiles></container>',
        "OEBPS/book.opf": '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0">'
        f'<metadata/><manifest><item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>'
        f"{items}</manifest><spine>{order}</spine></package>",
        "OEBPS/nav.xhtml": f'<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><body>'
        f'<nav epub:type="toc"><ol>{links}</ol></nav></body></html>',
    }
    for name, (_, body) in zip(names, chapters, strict=True):
        parts[f"OEBPS/{name}"] = (
            f'<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml" lang="{language}">'
            f"<head><title/></head><body>{body}</body></html>"
        )
    return write_zip(path, parts)


def write_zip(path: Path, parts: Mapping[str, str | bytes]) -> Path:
    """Write a ZIP of these parts, compressed, with a fixed time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    path.write_bytes(buffer.getvalue())
    return path


def with_part(path: Path, name: str, content: str | bytes) -> Path:
    """Replace one part of a written container (DOCX, PPTX, XLSX, EPUB), or add it."""
    with zipfile.ZipFile(path) as archive:
        parts = {entry: archive.read(entry) for entry in archive.namelist()}
    return write_zip(path, {**parts, name: content})


def read_part(path: Path, name: str) -> str:
    """Return one part of a written container as text."""
    with zipfile.ZipFile(path) as archive:
        return archive.read(name).decode()
