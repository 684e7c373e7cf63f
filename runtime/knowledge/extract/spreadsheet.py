"""Excel workbooks (XLSX): a sheet is a page labelled with its name, a row a "Header: value; …" line.

Read from the XML itself, row by row: openpyxl refuses many workbooks over styles and pivot tables that say nothing to a
reader, and does not know merged cells while it streams. Formulas give the value that was saved with them. Hidden
sheets are left out, with a note; hidden rows and columns are read like the others.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from satchel.runtime.knowledge.documents import ExtractedText
from satchel.runtime.knowledge.errors import DamagedDocumentError
from satchel.runtime.knowledge.extract.archive import Archive
from satchel.runtime.knowledge.extract.assembly import TextBuilder
from satchel.runtime.knowledge.extract.limits import MAX_EXPANDED_BYTES
from satchel.runtime.knowledge.extract.markup import (
    Element,
    attribute,
    children,
    descendants,
    local_name,
    parse_xml,
    refuse_declarations,
    related_parts,
)
from satchel.runtime.knowledge.extract.number_formats import NumberFormats, read_formats
from satchel.runtime.knowledge.extract.protocol import Source, Step
from satchel.runtime.knowledge.extract.tables import describe_rows
from satchel.runtime.knowledge.extract.word import main_part

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_ROWS_A_STEP = 500
_WIDEST = 16_384
_MERGE = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref\s*=\s*\"([A-Z]{1,3}\d{1,7}):([A-Z]{1,3}\d{1,7})\"")
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_LARGEST_MERGE = 10_000


@dataclass(frozen=True, slots=True)
class _Merge:
    """A merged range, counted from 0, ends included."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class _Workbook:
    strings: list[str]
    formats: NumberFormats


def extract(source: Source, step: Step) -> ExtractedText:
    """Return the rows of all visible sheets."""
    archive = Archive(source.content, file=source.name)
    main = main_part(archive, file=source.name)
    root = parse_xml(archive.read(main), file=source.name, part=main)
    related = related_parts(archive, main, file=source.name)
    parts = {kind: name for kind, name in related.values() if name in archive}
    dates_from_1904 = any(attribute(item, "date1904") in {"1", "true"} for item in children(root, "workbookPr"))
    workbook = _Workbook(
        _shared_strings(archive, parts.get("sharedStrings"), source.name),
        read_formats(archive, parts.get("styles"), file=source.name, dates_from_1904=dates_from_1904),
    )
    sheets = [sheet for listing in children(root, "sheets") for sheet in children(listing, "sheet")]
    if not sheets:
        raise DamagedDocumentError(file=source.name, reason="it has no sheets")
    builder = TextBuilder(source.name)
    for number, sheet in enumerate(sheets):
        name = attribute(sheet, "name")
        if attribute(sheet, "state") in {"hidden", "veryHidden"}:
            builder.note(f"hidden sheet left out: {name}")
            continue
        reference = next((value for key, value in sheet.items() if key.endswith("}id")), "")
        kind, part = related.get(reference, ("", ""))
        if kind != "worksheet" or part not in archive:
            continue  # sheets that are one chart
        builder.start_page(name)

        def tick(number: int = number) -> None:
            step(number, len(sheets))

        _add_sheet(
            builder, archive.read(part, limit=MAX_EXPANDED_BYTES), f"{source.name}, sheet {name}", workbook, tick
        )
    step(len(sheets), len(sheets))
    return builder.build(MEDIA_TYPE)


def _add_sheet(builder: TextBuilder, content: bytes, place: str, workbook: _Workbook, tick: Callable[[], None]) -> None:
    merges = [merge for match in _MERGE.finditer(content) if (merge := _merge(match[1].decode(), match[2].decode()))]
    rows = _merged(_rows(content, place, workbook, tick), merges)
    builder.rows(describe_rows(rows))


def _rows(content: bytes, place: str, workbook: _Workbook, tick: Callable[[], None]) -> Iterator[tuple[int, list[str]]]:
    """Yield each row's number from 0 and its cells; a blank row stands for all that are not in the file."""
    from lxml import etree

    refuse_declarations(content, file=place, part="worksheet")
    expected = 0
    try:
        events = etree.iterparse(
            io.BytesIO(content),
            tag="{*}row",
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            remove_comments=True,
        )
        for count, (_, element) in enumerate(events):
            if count % _ROWS_A_STEP == 0:
                tick()
            number = attribute(element, "r")
            row = int(number) - 1 if number.isdecimal() else expected
            if row > expected:
                yield expected, []
            expected = row + 1
            yield row, _cells(element, workbook)
            element.clear()
            while (before := element.getprevious()) is not None:
                element.getparent().remove(before)
    except etree.XMLSyntaxError as error:
        raise DamagedDocumentError(file=place, reason=f"its XML is not well formed ({error})") from error


def _cells(row: Element, workbook: _Workbook) -> list[str]:
    cells: list[str] = []
    for cell in children(row, "c"):
        match = _REFERENCE.fullmatch(attribute(cell, "r"))
        column = _column(match[1]) if match else len(cells)
        if column < _WIDEST:
            cells += [""] * (column - len(cells))
            cells.append(_value(cell, workbook))
    return cells


def _value(cell: Element, workbook: _Workbook) -> str:
    kind = attribute(cell, "t")
    if kind == "inlineStr":
        return _string(cell)
    value = next((item.text or "" for item in children(cell, "v")), "")
    if not value:
        # A formula that no program has calculated yet says at least what it is.
        return next((f"={item.text}" for item in children(cell, "f") if item.text), "")
    if kind == "s":
        place = int(value) if value.isdecimal() else len(workbook.strings)
        return workbook.strings[place] if place < len(workbook.strings) else ""
    if kind == "b":
        return "TRUE" if value == "1" else "FALSE"
    if kind in {"str", "e", "d"}:
        return value
    return workbook.formats.show(value, attribute(cell, "s"))


def _shared_strings(archive: Archive, part: str | None, file: str) -> list[str]:
    if part is None:
        return []
    return [_string(item) for item in children(parse_xml(archive.read(part), file=file, part=part), "si")]


def _string(item: Element) -> str:
    """Return a string with all its runs, without the phonetic reading that Japanese workbooks keep beside it."""
    return "".join(text.text or "" for text in descendants(item, "t") if local_name(text.getparent()) != "rPh")


def _merged(rows: Iterator[tuple[int, list[str]]], merges: list[_Merge]) -> Iterator[list[str]]:
    """Put the text of a merged range into each of its cells.

    Only ranges of one row or one column are filled: they are headers over several columns and names beside several
    rows; larger ones are titles and pictures' places.
    """
    by_row: dict[int, list[_Merge]] = {}
    for merge in merges:
        for number in range(merge.top, merge.bottom + 1):
            by_row.setdefault(number, []).append(merge)
    texts: dict[_Merge, str] = {}
    for number, row in rows:
        cells = row
        for merge in by_row.get(number, ()):
            if number == merge.top:
                texts[merge] = cells[merge.left] if merge.left < len(cells) else ""
            if texts.get(merge):
                cells = cells + [""] * (merge.right + 1 - len(cells))
                cells[merge.left : merge.right + 1] = [texts[merge]] * (merge.right + 1 - merge.left)
        yield cells


def _merge(start: str, end: str) -> _Merge | None:
    first, last = _REFERENCE.fullmatch(start), _REFERENCE.fullmatch(end)
    if first is None or last is None:
        return None
    merge = _Merge(int(first[2]) - 1, _column(first[1]), int(last[2]) - 1, _column(last[1]))
    one_wide = merge.top == merge.bottom or merge.left == merge.right
    small = (merge.bottom - merge.top + 1) * (merge.right - merge.left + 1) <= _LARGEST_MERGE
    return merge if one_wide and small else None


def _column(letters: str) -> int:
    """Return a column's number from 0: `A` is 0, `AA` 26."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
