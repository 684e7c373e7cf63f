"""PowerPoint presentations (PPTX): a slide is a page; its title is a heading, its speaker notes follow.

Read from the XML itself, which holds diagrams' texts as well. Hidden slides are left out, and a note says so.
"""

from __future__ import annotations

from collections.abc import Iterator

from satchel.runtime.knowledge.documents import ExtractedText
from satchel.runtime.knowledge.errors import EmptyDocumentError
from satchel.runtime.knowledge.extract.archive import Archive
from satchel.runtime.knowledge.extract.assembly import TextBuilder
from satchel.runtime.knowledge.extract.cleaning import one_line
from satchel.runtime.knowledge.extract.grid import Grid
from satchel.runtime.knowledge.extract.markup import (
    Element,
    attribute,
    children,
    descendants,
    local_name,
    parse_xml,
    related_parts,
)
from satchel.runtime.knowledge.extract.protocol import Source, Step
from satchel.runtime.knowledge.extract.tables import describe_rows
from satchel.runtime.knowledge.extract.word import main_part

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"

_TITLES = frozenset(("title", "ctrTitle"))
# Date, footer and number stand on every slide.
_FURNITURE = frozenset(("dt", "ftr", "sldNum", "sldImg", "hdr"))


def extract(source: Source, step: Step) -> ExtractedText:
    """Return the slides in the order of the presentation."""
    archive = Archive(source.content, file=source.name)
    main = main_part(archive, file=source.name)
    related = related_parts(archive, main, file=source.name)
    root = parse_xml(archive.read(main), file=source.name, part=main)
    slides = [name for kind, name in _in_order(root, related) if kind == "slide"]
    if not slides:
        raise EmptyDocumentError(file=source.name, reason="it has no slides")
    builder = TextBuilder(source.name)
    hidden: list[str] = []
    for number, part in enumerate(slides, 1):
        step(number - 1, len(slides))
        builder.start_page()
        slide = parse_xml(archive.read(part), file=source.name, part=part)
        if slide.get("show") in {"0", "false"}:
            hidden.append(str(number))
            continue
        others = related_parts(archive, part, file=source.name)
        _add_shapes(builder, slide)
        for kind, name in others.values():
            if kind == "diagramData" and name in archive:
                _add_paragraphs(builder, parse_xml(archive.read(name), file=source.name, part=name))
        for kind, name in others.values():
            if kind == "notesSlide" and name in archive:
                _add_notes(builder, parse_xml(archive.read(name), file=source.name, part=name))
    step(len(slides), len(slides))
    if hidden:
        builder.note(f"hidden slides left out: {', '.join(hidden)}")
    return builder.build(MEDIA_TYPE)


def _in_order(root: Element, related: dict[str, tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for listing in children(root, "sldIdLst"):
        for slide in children(listing, "sldId"):
            # The other attribute named "id" is the slide's own number.
            reference = next((value for key, value in slide.items() if key.endswith("}id")), "")
            if reference in related:
                yield related[reference]


def _add_shapes(builder: TextBuilder, slide: Element) -> None:
    shapes = list(_shapes(slide))
    for title in (shape for shape in shapes if _placeholder(shape) in _TITLES):
        builder.heading(" ".join(_paragraphs(title)), 1)
    for shape in shapes:
        kind = _placeholder(shape)
        if kind in _TITLES or kind in _FURNITURE:
            continue
        if local_name(shape) == "graphicFrame":
            for table in descendants(shape, "tbl"):
                _add_table(builder, table)
        else:
            _add_paragraphs(builder, shape)


def _shapes(element: Element) -> Iterator[Element]:
    """Yield shapes and frames through groups; of a drawing's alternatives only the first."""
    for child in element:
        name = local_name(child)
        if name in {"sp", "graphicFrame"}:
            yield child
        elif name and name != "Fallback":
            yield from _shapes(child)


def _placeholder(shape: Element) -> str:
    return next((attribute(item, "type") or "body" for item in descendants(shape, "ph")), "")


def _paragraphs(element: Element) -> Iterator[str]:
    for paragraph in descendants(element, "p"):
        pieces = [(item.text or "") if local_name(item) == "t" else "\n" for item in descendants(paragraph, "t", "br")]
        if text := "".join(pieces).strip():
            yield text


def _add_paragraphs(builder: TextBuilder, element: Element) -> None:
    for number, text in enumerate(_paragraphs(element)):
        (builder.line if number else builder.paragraph)(text)


def _add_notes(builder: TextBuilder, notes: Element) -> None:
    for shape in _shapes(notes):
        if _placeholder(shape) == "body":
            text = "\n".join(_paragraphs(shape))
            if text:
                builder.paragraph(f"Speaker notes: {text}")


def _add_table(builder: TextBuilder, table: Element) -> None:
    grid = Grid()
    for row in children(table, "tr"):
        grid.start_row()
        for cell in children(row, "tc"):
            # Cells that a merged one covers are there, empty and marked.
            if cell.get("hMerge") or cell.get("vMerge"):
                continue
            text = one_line(" ".join(_paragraphs(cell)))
            grid.add(text, columns=_span(cell, "gridSpan"), rows=_span(cell, "rowSpan"))
    builder.rows(describe_rows(grid.rows()))


def _span(cell: Element, name: str) -> int:
    value = cell.get(name, "1")
    return int(value) if value.isdecimal() and len(value) < 4 else 1  # noqa: PLR2004 - no slide is 1,000 columns wide
