"""Pages of a PDF that pdfium cannot open, found by pypdf and put into a new file.

A file that was cut off has lost its end, and with it the trailer, often the catalog and the page tree, and what some
pages need. pypdf finds the objects themselves; a page counts as rescued only when its content and its fonts are among
them, because without its font a text may come out as other letters.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from satchel.runtime.knowledge.extract.limits import MAX_PAGES
from satchel.runtime.knowledge.extract.pdf.guard import GuardedBytes, attempt
from satchel.runtime.knowledge.extract.pdf.objects import array, resolved
from satchel.runtime.knowledge.extract.pdf.structure import Structure, structure_of

if TYPE_CHECKING:
    from pypdf import PdfReader, PdfWriter

_SECONDS = 60.0
_DEEPEST_TREE = 50
# Makes pypdf look for the objects instead of trusting a table of their places.
_NO_TABLE = b"\nstartxref\n0\n%%EOF\n"
_INHERITED = ("/Resources", "/MediaBox", "/CropBox", "/Rotate")
_DEEPEST_FONT = 6


@dataclass(frozen=True, slots=True)
class RescuedPages:
    """A new PDF with what could be rescued of an old one: page text and pictures."""

    content: bytes
    pages: int
    lost: tuple[int, ...]
    """Numbers of pages that are blank now."""
    structure: Structure | None
    """From the old file; None where it has lost the order of its pages: they stand as they lay in it."""


def rescue_pages(content: bytes, check: Callable[[], None]) -> RescuedPages | None:
    """Return the pages that pypdf still finds, None where there are none; never fails.

    An encrypted file is not rescued: what unlocks it lies at its end as well.

    Raises:
        CancelledError: what `check` raised; it is called all the time.
    """
    return attempt(lambda: _rescue(GuardedBytes(content + _NO_TABLE, check, seconds=_SECONDS)))


def _rescue(stream: GuardedBytes) -> RescuedPages | None:
    from pypdf import PdfReader, PdfWriter

    reader = PdfReader(stream)
    if reader.is_encrypted:
        return None
    objects = dict(_objects(reader))
    pages = list(islice(_pages_in_order(reader, objects), MAX_PAGES))
    ordered = any(page is not None for page in pages)
    if not ordered:
        pages = list(islice((value for value in objects.values() if value.get("/Type") == "/Page"), MAX_PAGES))
    writer = PdfWriter()
    lost = [number for number, page in enumerate(pages, 1) if not _copied(page, writer)]
    if len(lost) == len(pages):
        return None
    rescued = io.BytesIO()
    writer.write(rescued)
    structure = structure_of(reader, len(pages)) if ordered else None
    return RescuedPages(rescued.getvalue(), len(pages), tuple(lost), structure)


def _objects(reader: PdfReader) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the dictionaries that can be read, by number, in the order in which they lie in the file."""
    from pypdf.generic import IndirectObject

    places = [
        ((place, 0), number, generation)
        for generation, numbers in reader.xref.items()
        for number, place in numbers.items()
    ]
    outer = reader.xref.get(0, {})
    places += [((outer.get(holder, 0), place), number, 0) for number, (holder, place) in reader.xref_objStm.items()]
    for _, number, generation in sorted(places):
        try:
            value = resolved(IndirectObject(number, generation, reader))
        except Exception:  # noqa: BLE001, S112 - an object cut in two makes pypdf raise anything; the others are whole
            continue
        if isinstance(value, dict):
            yield number, value


def _pages_in_order(reader: PdfReader, objects: dict[int, dict[str, Any]]) -> Iterator[dict[str, Any] | None]:
    """Yield the pages of the newest catalog's tree, None for each one that is gone; nothing without a catalog."""
    from pypdf.generic import IndirectObject, NameObject

    catalogs = [number for number, value in objects.items() if value.get("/Type") == "/Catalog"]
    if not catalogs:
        return
    reader.trailer[NameObject("/Root")] = IndirectObject(catalogs[-1], 0, reader)
    seen: set[int] = set()
    waiting = [objects[catalogs[-1]].get("/Pages")]
    while waiting:
        link = waiting.pop()
        node = objects.get(getattr(link, "idnum", -1))
        if node is None:
            yield None
        elif "/Kids" not in node:
            yield node
        elif id(node) not in seen:
            seen.add(id(node))
            waiting += reversed(array(node.get("/Kids")))


def _copied(page: dict[str, Any] | None, writer: PdfWriter) -> bool:
    """Add a page to the new file, or a blank one in its place."""
    from pypdf import PageObject
    from pypdf.generic import NameObject

    try:
        if page is not None and _is_whole(page):
            needed = PageObject()
            needed.update({NameObject("/Type"): NameObject("/Page"), NameObject("/Contents"): page["/Contents"]})
            needed.update({NameObject(key): value for key in _INHERITED if (value := _inherited(page, key))})
            writer.add_page(needed)
            return True
    except Exception:  # noqa: BLE001, S110 - a page that cannot be copied is lost, whatever pypdf stumbles upon
        pass
    writer.add_blank_page(width=600, height=800)
    return False


def _is_whole(page: dict[str, Any]) -> bool:
    """Tell whether a page's content and the fonts that it names are there."""
    contents = resolved(page.get("/Contents"))
    streams = contents if isinstance(contents, list) else [contents]
    resources = resolved(_inherited(page, "/Resources"))
    fonts = resources.get("/Font") if isinstance(resources, dict) else None
    return all(hasattr(resolved(stream), "get_data") for stream in streams) and (fonts is None or _reaches_all(fonts))


def _reaches_all(value: Any, depth: int = 0) -> bool:
    """Tell whether no reference in a value, and in what it refers to, leads to nothing."""
    found = resolved(value)
    if found is None:
        return not hasattr(value, "idnum")
    if depth == _DEEPEST_FONT or not isinstance(found, dict | list):
        return True
    parts = found.values() if isinstance(found, dict) else found
    return all(_reaches_all(part, depth + 1) for part in parts)


def _inherited(page: dict[str, Any], key: str) -> Any:
    """Return a page's value, or that of the tree above it; None without one."""
    node: Any = page
    for _ in range(_DEEPEST_TREE):
        if not isinstance(node, dict):
            return None
        if (value := resolved(node.get(key))) is not None:
            return value
        node = resolved(node.get("/Parent"))
    return None
