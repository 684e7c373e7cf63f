"""PDF: page text joined into paragraphs, with outline, page labels and a reason where there is no text.

pypdf reads the structure (outline, page labels), pdfium the text of the pages, 14-33 times faster. Two parsers may see
two documents in one damaged file, so pypdf's answer is taken only where both count the same pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from satchel.runtime.knowledge.documents import ExtractedText
from satchel.runtime.knowledge.errors import (
    DamagedDocumentError,
    EmptyDocumentError,
    EncryptedDocumentError,
    NoTextError,
    TooLargeError,
)
from satchel.runtime.knowledge.extract.assembly import TextBuilder
from satchel.runtime.knowledge.extract.limits import MAX_PAGES
from satchel.runtime.knowledge.extract.pdf.characters import repair
from satchel.runtime.knowledge.extract.pdf.furniture import without_furniture
from satchel.runtime.knowledge.extract.pdf.headings import OutlineEntry, find_headings
from satchel.runtime.knowledge.extract.pdf.hyphens import Hyphens
from satchel.runtime.knowledge.extract.pdf.lines import Line, PageReader
from satchel.runtime.knowledge.extract.pdf.paragraphs import Paragraph, join_lines
from satchel.runtime.knowledge.extract.pdf.structure import Structure, read_structure
from satchel.runtime.knowledge.extract.protocol import Source, Step

MEDIA_TYPE = "application/pdf"

_PAGES_A_CHECK = 20


def extract(source: Source, step: Step) -> ExtractedText:
    """Return the text of all pages.

    Raises:
        EncryptedDocumentError: a password is needed, or the one given is wrong.
        NoTextError: the pages hold pictures only.
    """
    document = _open(source)
    try:
        pages, picture_pages, broken_pages = _read_pages(document, source, step)
        structure = _structure(document, source, step)
    finally:
        document.close()
    if not any(pages):
        if picture_pages:
            raise NoTextError(file=source.name, picture_pages=len(picture_pages), pages=len(pages))
        raise EmptyDocumentError(file=source.name, reason=f"no text and no picture is on its {len(pages)} pages")
    body = without_furniture(pages)
    builder = TextBuilder(source.name)
    _assemble(builder, body, structure.labels or ("",) * len(pages), structure.outline, step)
    for note in structure.notes:
        builder.note(note)
    if picture_pages:
        builder.note(f"pages with pictures and no text: {_listed(picture_pages)}")
    if broken_pages:
        builder.note(f"pages that could not be read: {_listed(broken_pages)}")
    return builder.build(MEDIA_TYPE)


def _open(source: Source) -> Any:
    import pypdfium2
    import pypdfium2.raw as pdfium

    try:
        document = pypdfium2.PdfDocument(source.content, password=source.password)
    except pypdfium2.PdfiumError as error:
        code = error.err_code
        if code == pdfium.FPDF_ERR_PASSWORD:
            given = "the password given does not open it" if source.password else "it needs a password to open"
            raise EncryptedDocumentError(
                file=source.name,
                reason=given,
                advice="Give the password that its viewer asks for (user or owner password), or save a copy without.",
            ) from error
        if code == pdfium.FPDF_ERR_SECURITY:
            raise EncryptedDocumentError(
                file=source.name,
                reason="it is protected in a way that only its maker's program opens",
                advice="Print it to a new PDF in the program that opens it.",
            ) from error
        raise DamagedDocumentError(file=source.name, reason="no PDF can be found in it") from error
    pages = len(document)
    if pages == 0:
        document.close()
        raise DamagedDocumentError(file=source.name, reason="it has no pages")
    if pages > MAX_PAGES:
        document.close()
        raise TooLargeError(file=source.name, reason=f"it has {pages} pages, more than {MAX_PAGES}")
    return document


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
    """An encrypted file's text was opened by its password; its outline is not worth a second decryption."""
    import pypdfium2.raw as pdfium

    total = len(document)
    if pdfium.FPDF_GetSecurityHandlerRevision(document) >= 0:
        return Structure()
    return read_structure(source.content, total, lambda: step(total, total))


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


def _listed(pages: list[int]) -> str:
    """Return page numbers for people: `3-7, 12`; at most a dozen runs."""
    runs: list[list[int]] = []
    for page in pages:
        if runs and page == runs[-1][1] + 1:
            runs[-1][1] = page
        else:
            runs.append([page, page])
    shown = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs[:12])
    return shown + (" and more" if len(runs) > 12 else "")  # noqa: PLR2004 - the dozen above
