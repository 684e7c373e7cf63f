"""PDF: page text joined into paragraphs, with outline, page labels and a reason where there is no text.

pypdf reads the structure (outline, page labels, kind of encryption), pdfium the text of the pages, 14-33 times faster.
Two parsers may see two documents in one damaged file, so pypdf's answer is taken only where both count the same pages.
Where pdfium does not open a file, pypdf looks for pages that are left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from satchel.runtime.knowledge.documents import ExtractedText
from satchel.runtime.knowledge.errors import (
    DamagedDocumentError,
    EmptyDocumentError,
    NoTextError,
    NothingWrittenError,
)
from satchel.runtime.knowledge.extract.assembly import TextBuilder
from satchel.runtime.knowledge.extract.page_numbers import listed
from satchel.runtime.knowledge.extract.pdf.characters import repair
from satchel.runtime.knowledge.extract.pdf.furniture import without_furniture
from satchel.runtime.knowledge.extract.pdf.headings import OutlineEntry, find_headings
from satchel.runtime.knowledge.extract.pdf.hyphens import Hyphens
from satchel.runtime.knowledge.extract.pdf.lines import Line, PageReader
from satchel.runtime.knowledge.extract.pdf.opening import decrypted, open_document
from satchel.runtime.knowledge.extract.pdf.paragraphs import Paragraph, join_lines
from satchel.runtime.knowledge.extract.pdf.rescue import RescuedPages, rescue_pages
from satchel.runtime.knowledge.extract.pdf.structure import Structure, read_structure
from satchel.runtime.knowledge.extract.protocol import Source, Step

MEDIA_TYPE = "application/pdf"

_PAGES_A_CHECK = 20
_HOW_TO_READ = "read_pictures = true under [knowledge] in assistant.toml has them read"


def extract(source: Source, step: Step) -> ExtractedText:
    """Return the text of all pages, or, with a note, of those that are left of a damaged file.

    Where pictures are to be read and have not been yet, a file of pictures alone gives no text, and their pages.

    Raises:
        EncryptedDocumentError: a password is needed, or the one given is wrong.
        NoTextError: the pages hold pictures only, and nobody wants them read.
        NothingWrittenError: they were read, and hold no text.
    """
    try:
        return _extract(source, step)
    except DamagedDocumentError as damage:
        rescued = rescue_pages(source.content, lambda: step(0, None))
        if rescued is None:
            raise
        try:
            return _extract(replace(source, content=rescued.content), step, rescued)
        except (DamagedDocumentError, EmptyDocumentError, NoTextError, NothingWrittenError):
            raise damage from None


def _extract(source: Source, step: Step, rescued: RescuedPages | None = None) -> ExtractedText:
    document = open_document(source, step)
    try:
        pages, picture_pages, broken_pages = _read_pages(document, source, step)
        structure = rescued.structure if rescued is not None else _structure(document, source, step)
    finally:
        document.close()
    unread = _put_in(pages, picture_pages, source)
    if not any(pages):
        if not picture_pages:
            raise EmptyDocumentError(file=source.name, reason=f"no text and no picture is on its {len(pages)} pages")
        if source.pictures is not None and unread:
            return ExtractedText(MEDIA_TYPE, "", unread_pictures=unread)
        kind = NoTextError if source.pictures is None else NothingWrittenError
        raise kind(file=source.name, picture_pages=len(picture_pages), pages=len(pages))
    body = without_furniture(pages)
    builder = TextBuilder(source.name)
    structure = structure or Structure()
    _assemble(builder, body, structure.labels or ("",) * len(pages), structure.outline, step)
    if rescued is not None:
        builder.note(_told(rescued))
    for note in structure.notes:
        builder.note(note)
    if picture_pages and source.pictures is None:
        builder.note(f"pages with pictures and no text: {listed(picture_pages)} ({_HOW_TO_READ})")
    if lost := broken_pages or (list(rescued.lost) if rescued else []):
        builder.note(f"pages that could not be read: {listed(lost)}")
    from_pictures = tuple(page for page in picture_pages if pages[page - 1])
    return replace(builder.build(MEDIA_TYPE), from_pictures=from_pictures, unread_pictures=unread)


def _put_in(pages: list[list[Line]], picture_pages: list[int], source: Source) -> tuple[int, ...]:
    """Put what was read from pictures into their pages; returns those that still wait for it."""
    if source.pictures is None:
        return ()
    for page in picture_pages:
        pages[page - 1] = list(source.pictures.get(page, ()))
    return tuple(page for page in picture_pages if page not in source.pictures)


def _read_pages(document: Any, source: Source, step: Step) -> tuple[list[list[Line]], list[int], list[int]]:
    """Return the lines of each page, and the numbers of the pages with pictures only and of the unreadable ones."""
    import pypdfium2

    reader = PageReader()
    pages: list[list[Line]] = []
    picture_pages: list[int] = []
    broken_pages: list[int] = []
    total = len(document)
    for number in range(1, total + 1):
        step(number - 1, total)
        try:
            page = document[number - 1]
        except pypdfium2.PdfiumError:
            pages.append([])
            broken_pages.append(number)
            continue
        try:
            lines = reader.read(page)
            if not lines and _has_picture(page):
                picture_pages.append(number)
        finally:
            page.close()
        pages.append(lines)
    step(total, total)
    if len(broken_pages) == total:
        raise DamagedDocumentError(file=source.name, reason="none of its pages can be read")
    return pages, picture_pages, broken_pages


def _has_picture(page: Any) -> bool:
    import pypdfium2.raw as pdfium

    return any(True for _ in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=4))


def _structure(document: Any, source: Source, step: Step) -> Structure:
    total = len(document)
    return read_structure(lambda: decrypted(document, source.content), total, lambda: step(total, total))


def _told(rescued: RescuedPages) -> str:
    left = rescued.pages - len(rescued.lost)
    if rescued.structure is None:
        return (
            f"the file is damaged or cut short: {left} pages could be rescued, counted in the order in which they lie "
            "in it; more may be missing, and its page labels are lost"
        )
    return f"the file is damaged or cut short: {left} of its {rescued.pages} pages could be rescued"


def _assemble(
    builder: TextBuilder, pages: list[list[Line]], labels: Sequence[str], outline: Sequence[OutlineEntry], step: Step
) -> None:
    total = len(pages)
    hyphens = Hyphens(line.text for lines in pages for line in lines)
    started = 0

    def start_pages(page: int, separator: str) -> None:
        nonlocal started
        if page // _PAGES_A_CHECK > (started - 1) // _PAGES_A_CHECK:
            step(total, total)
        while started <= page:
            builder.start_page(labels[started], separator=separator)
            started += 1

    for paragraph in join_lines(pages, find_headings(pages, outline), hyphens):
        start_pages(paragraph.page, "\n\n")
        _add(builder, paragraph)
        for place, part in enumerate(paragraph.parts[1:], 1):
            start_pages(paragraph.page + place, " ")
            builder.paragraph(repair(part))
    start_pages(len(pages) - 1, "\n\n")


def _add(builder: TextBuilder, paragraph: Paragraph) -> None:
    text = repair(paragraph.parts[0])
    if paragraph.level:
        builder.heading(text, paragraph.level)
    elif paragraph.follows_closely:
        builder.line(text)
    else:
        builder.paragraph(text)
