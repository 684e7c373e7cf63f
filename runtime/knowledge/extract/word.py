"""Word documents (DOCX): paragraphs, headings, lists, tables, foot- and endnotes, text boxes.

Read from the XML itself: python-docx skips tracked insertions, content controls, notes and text boxes. Hidden text,
deletions that are still tracked, comments, page headers and footers are left out. A DOCX has no fixed pages.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from satchel.runtime.knowledge.documents import ExtractedText
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

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

_SKIPPED = frozenset(
    """
    del moveFrom instrText delText rPr pPr sdtPr sdtEndPr Fallback commentReference annotationRef
    """.split()  # noqa: SIM905 - words, easier to read in a row
)
_LONGEST_CELL = 600
_BLOCKS_A_STEP = 200
_BODY_LEVEL = 9


@dataclass(frozen=True, slots=True)
class _Style:
    parent: str
    level: int | None
    hidden: bool


@dataclass(slots=True)
class _Paragraph:
    """Text of one paragraph, and what hangs on it."""

    text: list[str] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    boxes: list[Element] = field(default_factory=list)


def extract(source: Source, step: Step) -> ExtractedText:
    """Return the document's text in reading order; a note follows the paragraph that refers to it."""
    archive = Archive(source.content, file=source.name)
    main = main_part(archive, file=source.name)
    related = related_parts(archive, main, file=source.name)
    parts = {kind: name for kind, name in related.values() if name in archive}
    styles = _styles(archive, parts.get("styles"), source.name)
    notes = {kind: _notes(archive, parts.get(f"{kind}s"), source.name) for kind in ("footnote", "endnote")}
    document = _Document(TextBuilder(source.name), styles, notes, step)
    root = parse_xml(archive.read(main), file=source.name, part=main)
    for body in children(root, "body"):
        document.add_blocks(body)
    step(1, 1)
    if document.hidden:
        document.builder.note("hidden text left out")
    return document.builder.build(MEDIA_TYPE)


def main_part(archive: Archive, *, file: str) -> str:
    """Return the name of the part that an Office container is about."""
    return next((name for kind, name in related_parts(archive, "", file=file).values() if kind == "officeDocument"), "")


class _Document:
    """Walks through blocks; notes and text boxes come after the paragraph that they hang on."""

    def __init__(
        self, builder: TextBuilder, styles: dict[str, _Style], notes: dict[str, dict[str, Element]], step: Step
    ) -> None:
        self.builder = builder
        self.hidden = False
        self._styles = styles
        self._notes = notes
        self._step = step
        self._blocks = 0
        self._last_was_item = False

    def add_blocks(self, parent: Element) -> None:
        """Add the paragraphs and tables below an element, through content controls and the like."""
        for child in parent:
            name = local_name(child)
            if name == "p":
                self._add_paragraph(child)
            elif name == "tbl":
                self._add_table(child)
            elif name and name not in _SKIPPED:
                self.add_blocks(child)

    def _add_paragraph(self, element: Element) -> None:
        self._blocks += 1
        if self._blocks % _BLOCKS_A_STEP == 0:
            self._step(self._blocks, None)
        paragraph = _Paragraph()
        self._collect(element, paragraph)
        text = "".join(paragraph.text).strip()
        properties = next(children(element, "pPr"), None)
        level = self._level(properties)
        is_item = properties is not None and any(True for _ in children(properties, "numPr"))
        if level is not None and text:
            self.builder.heading(text, level + 1)
        elif is_item and text:
            (self.builder.line if self._last_was_item else self.builder.paragraph)(f"- {text}")
        else:
            self.builder.paragraph(text)
        if text:
            self._last_was_item = is_item and level is None
        for kind, note in paragraph.notes:
            if (body := self._notes[kind].get(note)) is not None:
                self.builder.line(f"[{note}] {one_line(self._plain_text(body))}")
        for box in paragraph.boxes:
            self.add_blocks(box)

    def _add_table(self, table: Element) -> None:
        grid = Grid()
        above: dict[int, str] = {}
        for row in descendants_outside_tables(table, "tr"):
            grid.start_row()
            column = 0
            for cell in descendants_outside_tables(row, "tc"):
                text = one_line(self._plain_text(cell))
                if len(text) > _LONGEST_CELL:
                    self._add_cells(table)
                    return
                properties = next(children(cell, "tcPr"), None)
                span, merge = 1, None
                if properties is not None:
                    span = next((_number(attribute(item, "val")) for item in children(properties, "gridSpan")), 1)
                    merge = next(
                        (attribute(item, "val") or "continue" for item in children(properties, "vMerge")), None
                    )
                text = above.get(column, "") if merge == "continue" else text
                above[column] = text
                grid.add(text, columns=span)
                column += span
        rows = grid.rows()
        if len(rows) == 1 or max(map(len, rows), default=0) <= 1:
            self._add_cells(table)
            return
        self.builder.rows(describe_rows(rows))

    def _add_cells(self, table: Element) -> None:
        """Read a table that only lays out text, cell by cell."""
        for row in descendants_outside_tables(table, "tr"):
            for cell in descendants_outside_tables(row, "tc"):
                self.add_blocks(cell)

    def _plain_text(self, block: Element) -> str:
        pieces: list[str] = []
        for element in descendants(block, "p"):
            paragraph = _Paragraph()
            self._collect(element, paragraph)
            pieces.append("".join(paragraph.text))
        return " ".join(pieces)

    def _collect(self, element: Element, paragraph: _Paragraph) -> None:
        """Gather what is shown of a paragraph's runs; at most 256 levels deep, as libxml2 allows."""
        for child in element:
            name = local_name(child)
            if name in {"t", "tab", "br", "cr", "noBreakHyphen", "sym"}:
                paragraph.text.append(_character(child, name))
            elif name == "r" and self._is_hidden(child):
                self.hidden = True
            elif name == "txbxContent":
                paragraph.boxes.append(child)
            elif name in {"footnoteReference", "endnoteReference"}:
                paragraph.notes.append((name.removesuffix("Reference"), attribute(child, "id")))
            elif name and name not in _SKIPPED:
                self._collect(child, paragraph)

    def _is_hidden(self, run: Element) -> bool:
        for properties in children(run, "rPr"):
            for item in children(properties, "vanish"):
                return attribute(item, "val") not in {"0", "false", "off"}
            for item in children(properties, "rStyle"):
                style = self._styles.get(attribute(item, "val"))
                return style is not None and style.hidden
        return False

    def _level(self, properties: Element | None) -> int | None:
        """Return a paragraph's outline level from 0 on, its own or its style's."""
        if properties is None:
            return None
        for item in children(properties, "outlineLvl"):
            return _outline_level(item)
        name = next((attribute(item, "val") for item in children(properties, "pStyle")), "")
        for _ in range(20):  # a style's parents, which could form a ring
            style = self._styles.get(name)
            if style is None:
                return None
            if style.level is not None:
                return style.level if style.level < _BODY_LEVEL else None
            name = style.parent
        return None


def descendants_outside_tables(element: Element, name: str) -> list[Element]:
    """Return the rows or cells of this table, without those of tables inside its cells."""
    found: list[Element] = []
    for child in element:
        kind = local_name(child)
        if kind == name:
            found.append(child)
        elif kind and kind not in {"tbl", "p"}:
            found += descendants_outside_tables(child, name)
    return found


def _character(element: Element, name: str) -> str:
    if name == "t":
        return element.text or ""
    if name == "sym":
        # The private characters of Wingdings and the like are pictures: bullets and arrows.
        return ""
    return {"noBreakHyphen": "-", "tab": " "}.get(name, "" if attribute(element, "type") == "page" else "\n")


def _styles(archive: Archive, part: str | None, file: str) -> dict[str, _Style]:
    if part is None:
        return {}
    styles: dict[str, _Style] = {}
    for style in children(parse_xml(archive.read(part), file=file, part=part), "style"):
        name = next((attribute(item, "val").lower() for item in children(style, "name")), "")
        level = 0 if name == "title" else None
        if name.startswith("heading ") and name[8:].isdecimal():
            level = int(name[8:]) - 1
        for item in descendants(style, "outlineLvl"):
            level = _outline_level(item)
        parent = next((attribute(item, "val") for item in children(style, "basedOn")), "")
        hidden = any(attribute(item, "val") not in {"0", "false", "off"} for item in descendants(style, "vanish"))
        styles[attribute(style, "styleId")] = _Style(parent, level, hidden)
    return styles


def _notes(archive: Archive, part: str | None, file: str) -> dict[str, Element]:
    if part is None:
        return {}
    root = parse_xml(archive.read(part), file=file, part=part)
    return {
        attribute(note, "id"): note for note in children(root, "footnote", "endnote") if not attribute(note, "type")
    }


def _outline_level(element: Element) -> int:
    value = attribute(element, "val")
    return int(value) if value in set("012345678") else _BODY_LEVEL


def _number(value: str) -> int:
    return int(value) if value.isdecimal() and len(value) < 4 else 1  # noqa: PLR2004 - Word allows 63 columns
