"""Typeset one Markdown chapter as an A4 PDF with an outline, page numbers and page labels.

    python packs/samples/make_chapter_pdf.py CHAPTER.md OUT.pdf --source 'From "Astronomy", OpenStax, CC BY 4.0'

The same input gives the same bytes: reportlab's invariant mode leaves out dates and random ids.
Understood Markdown: `#` to `###` headings, paragraphs, `-` and `1.` lists; the text itself is set as it is written.
Only the PDF standard fonts are used, so nothing is embedded and nothing has a licence of its own.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_JUSTIFY, TA_LEFT
from reportlab.lib.pagesizes import A4
from reportlab.lib.rl_accel import unicode2T1
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import getFont
from reportlab.platypus import BaseDocTemplate, Frame, Paragraph, Spacer
from reportlab.platypus.doctemplate import PageTemplate

INK = HexColor("#1b1f24")
ACCENT = HexColor("#1d4f8f")
QUIET = HexColor("#68707a")
MARGIN = 30 * mm

_HEADING = re.compile(r"(#{1,3})\s+(.+)")
_ITEM = re.compile(r"(?:([-*])|(\d+)\.)\s+(.+)")


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a chapter: `kind` is `heading`, `item` or `paragraph`; `level` counts a heading's `#`."""

    kind: str
    text: str
    level: int = 0
    bullet: str = ""


class MissingGlyphError(ValueError):
    """A character that no standard PDF font can show."""


def parse_chapter(markdown: str) -> list[Block]:
    """Return the blocks of a chapter; headings and list items are one line each, paragraphs end at a blank line."""
    blocks: list[Block] = []
    paragraph: list[str] = []
    for line in [*markdown.splitlines(), ""]:
        text = line.strip()
        heading, item = _HEADING.fullmatch(text), _ITEM.fullmatch(text)
        if paragraph and (heading or item or not text):
            blocks.append(Block("paragraph", " ".join(paragraph)))
            paragraph = []
        if heading:
            blocks.append(Block("heading", heading[2], level=len(heading[1])))
        elif item:
            blocks.append(Block("item", item[3], bullet="\u2022" if item[1] else f"{item[2]}."))
        elif text:
            paragraph.append(text)
    return blocks


def make_chapter_pdf(markdown: str, destination: Path, *, source: str = "", first_page: int = 1) -> None:
    """Write the chapter; `source` is printed under the title and at the foot, `first_page` is the first printed number.

    Raises:
        MissingGlyphError: a character is in none of the standard fonts; names it.
    """
    blocks = parse_chapter(markdown)
    title = next((block.text for block in blocks if block.kind == "heading"), destination.stem)
    document = _Chapter(destination, title, source, first_page)
    styles = _styles()
    story: list[Any] = []
    for block in blocks:
        if block.kind == "heading":
            paragraph = Paragraph(_markup(block.text), styles[f"heading{block.level}"])
            paragraph.outline_entry = (block.level - 1, block.text)
            story.append(paragraph)
            if block.level == 1 and source:
                story += [Paragraph(_markup(source), styles["source"]), Spacer(1, 6 * mm)]
        elif block.kind == "item":
            story.append(Paragraph(_markup(block.text), styles["item"], bulletText=block.bullet))
        else:
            story.append(Paragraph(_markup(block.text), styles["body"]))
    document.build(story)


class _Chapter(BaseDocTemplate):  # type: ignore[misc]  # reportlab has no type hints
    """A page with a running title, a page number, and an outline entry for every heading."""

    def __init__(self, destination: Path, title: str, source: str, first_page: int) -> None:
        super().__init__(
            str(destination),
            pagesize=A4,
            title=title,
            author="",
            subject=source,
            lang="en",
            invariant=1,
            pageCompression=1,
        )
        self._title, self._source, self._first_page = title, source, first_page
        self._deepest = -1
        width, height = A4
        frame = Frame(MARGIN, 27 * mm, width - 2 * MARGIN, height - 55 * mm, 0, 0, 0, 0)
        self.addPageTemplates(PageTemplate(id="page", frames=[frame], onPage=self._decorate))

    def afterFlowable(self, flowable: Any) -> None:  # noqa: N802 - reportlab's name
        """Put a heading that was just set into the outline."""
        entry = getattr(flowable, "outline_entry", None)
        if entry is None:
            return
        # A level may go up by any number of steps, but down by one only.
        level = min(entry[0], self._deepest + 1)
        self._deepest = level
        key = f"h{self.seq.nextf('heading')}"
        top = self.frame._y + flowable.height  # noqa: SLF001 - reportlab tells the place in no other way
        self.canv.bookmarkHorizontalAbsolute(key, top)
        self.canv.addOutlineEntry(entry[1], key, level, closed=level >= 1)

    def _decorate(self, canvas: Any, _document: Any) -> None:
        width, height = A4
        number = self._first_page + canvas.getPageNumber() - 1
        canvas.addPageLabel(canvas.getPageNumber() - 1, "ARABIC", number)
        canvas.saveState()
        canvas.setFillColor(QUIET)
        canvas.setFont("Helvetica", 8.5)
        if canvas.getPageNumber() > 1:
            canvas.drawString(MARGIN, height - 17 * mm, self._title)
            canvas.setStrokeColor(HexColor("#d5d9de"))
            canvas.setLineWidth(0.5)
            canvas.line(MARGIN, height - 19 * mm, width - MARGIN, height - 19 * mm)
        canvas.drawCentredString(width / 2, 14 * mm, str(number))
        canvas.restoreState()


def _styles() -> dict[str, ParagraphStyle]:
    body = ParagraphStyle(
        "body", fontName="Times-Roman", fontSize=11, leading=15.5, textColor=INK, alignment=TA_JUSTIFY, spaceAfter=7,
        allowWidows=0, allowOrphans=0,
    )  # fmt: skip
    heading = ParagraphStyle(
        "heading", parent=body, fontName="Helvetica-Bold", alignment=TA_LEFT, keepWithNext=1, textColor=ACCENT
    )
    return {
        "body": body,
        "item": ParagraphStyle("item", parent=body, leftIndent=14, bulletIndent=3, spaceAfter=4, alignment=TA_LEFT),
        "source": ParagraphStyle(
            "source", parent=body, fontName="Times-Italic", fontSize=9.5, textColor=QUIET, alignment=TA_LEFT
        ),
        "heading1": ParagraphStyle("heading1", parent=heading, fontSize=24, leading=29, spaceAfter=8),
        "heading2": ParagraphStyle("heading2", parent=heading, fontSize=15.5, leading=20, spaceBefore=14, spaceAfter=7),
        "heading3": ParagraphStyle(
            "heading3", parent=heading, fontSize=11.5, leading=15, spaceBefore=8, spaceAfter=4, textColor=INK
        ),
    }


def _markup(text: str) -> str:
    """Escape `text` for a reportlab paragraph, which sets what Times lacks (Greek, mathematics) in Symbol."""
    fonts = [getFont("Times-Roman"), *getFont("Times-Roman").substitutionFonts]
    for character in text:
        # Where no font has a glyph, reportlab sets a black square.
        if unicode2T1(character, fonts)[0][1] == b"n" and character not in "n\u03bd■":
            message = f"U+{ord(character):04X} ({character}) is in none of the standard PDF fonts"
            raise MissingGlyphError(message)
    return escape(text)


def main() -> None:
    """Read the command line, write the PDF."""
    parser = argparse.ArgumentParser(description="Typeset one Markdown chapter as an A4 PDF.")
    parser.add_argument("chapter", type=Path, help="Markdown file")
    parser.add_argument("destination", type=Path, help="PDF file to write")
    parser.add_argument("--source", default="", help="attribution, printed under the title")
    parser.add_argument("--first-page", type=int, default=1, help="printed number of the first page")
    arguments = parser.parse_args()
    make_chapter_pdf(
        arguments.chapter.read_text(encoding="utf-8"),
        arguments.destination,
        source=arguments.source,
        first_page=arguments.first_page,
    )


if __name__ == "__main__":
    main()
