"""A PDF's outline and page labels, read by pypdf (ISO 32000-2, 12.3 and 12.4.2).

pypdf builds the objects; the walk is our own. Past its limits (100 levels, 100,000 entries) pypdf's `outline` gives
nothing instead of a part, and it builds every named destination of a document that uses a single one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from satchel.runtime.knowledge.extract.pdf.guard import GuardedBytes, attempt
from satchel.runtime.knowledge.extract.pdf.headings import OutlineEntry
from satchel.runtime.knowledge.extract.pdf.objects import array, resolved

if TYPE_CHECKING:
    from pypdf import PdfReader

_SECONDS = 20.0
_MOST_OUTLINE_ENTRIES = 20_000
_MOST_NAMES = 200_000
_LONGEST_TITLE = 1_000
_LONGEST_LABEL = 100


@dataclass(frozen=True, slots=True)
class Structure:
    """What a PDF says about its pages."""

    outline: tuple[OutlineEntry, ...] = ()
    labels: tuple[str, ...] = ()
    """One a page, or none."""
    notes: tuple[str, ...] = ()
    """What of it could not be read."""


@dataclass(frozen=True, slots=True)
class _Outline:
    entries: tuple[OutlineEntry, ...] = ()
    cut: bool = False
    """It had more entries."""


def read_structure(content: Callable[[], bytes], pages: int, check: Callable[[], None]) -> Structure:
    """Return the structure of a PDF in which pdfium found so many pages; never fails.

    `content` gives its bytes, without encryption.

    Where pypdf finds another number of pages, it sees another document in a damaged file, and its answer is not taken.

    Raises:
        CancelledError: what `check` raised; it is called all the time.
    """
    reader = attempt(lambda: _open(GuardedBytes(content(), check, seconds=_SECONDS)))
    if reader is None:
        return Structure(notes=("its outline and page labels, if it has any, could not be read",))
    return structure_of(reader, pages)


def structure_of(reader: PdfReader, pages: int) -> Structure:
    """Return what `read_structure` does, from a file that `pypdf` reads under guard already."""
    labels = attempt(lambda: _labels(reader, pages))
    outline = attempt(lambda: _outline(reader, pages))
    notes = []
    if labels is None:
        notes.append("its printed page labels could not be read")
    if outline is None:
        notes.append("its outline could not be read")
    elif outline.cut:
        notes.append(f"entries of its outline past the first {_MOST_OUTLINE_ENTRIES:,} were left out")
    return Structure(outline.entries if outline else (), labels or (), tuple(notes))


def _open(stream: GuardedBytes) -> PdfReader:
    from pypdf import PdfReader

    return PdfReader(stream)


def _labels(reader: PdfReader, pages: int) -> tuple[str, ...]:
    if "/PageLabels" not in reader.root_object:  # pypdf would count the pages
        return ()
    _page_numbers(reader, pages)
    return tuple(label[:_LONGEST_LABEL] for label in reader.page_labels)


def _page_numbers(reader: PdfReader, pages: int) -> dict[int, int]:
    """Return the pages' indexes by their objects' numbers."""
    found = [page.indirect_reference for page in reader.pages]
    if len(found) != pages:
        raise ValueError(f"pypdf finds {len(found)} pages where pdfium finds {pages}")
    return {reference.idnum: index for index, reference in enumerate(found) if reference is not None}


def _outline(reader: PdfReader, pages: int) -> _Outline:
    root = resolved(reader.root_object.get("/Outlines"))
    if not isinstance(root, dict) or "/First" not in root:
        return _Outline()
    destinations = _Destinations(reader, _page_numbers(reader, pages))
    entries: list[OutlineEntry] = []
    for number, (node, level) in enumerate(_nodes(root)):
        if number == _MOST_OUTLINE_ENTRIES:
            return _Outline(tuple(entries), cut=True)
        title, page = _title(node), destinations.page(node)
        if title and page is not None:
            entries.append(OutlineEntry(title, level, page))
    return _Outline(tuple(entries))


def _nodes(root: dict[str, Any]) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield the outline's items with their levels in reading order, each once, in whatever circles they are linked."""
    seen: set[int] = set()
    waiting = [(root.get("/First"), 1)]
    while waiting:
        link, level = waiting.pop()
        # The reader keeps its objects, so that their ids stay theirs.
        node = resolved(link)
        if isinstance(node, dict) and id(node) not in seen:
            seen.add(id(node))
            yield node, level
            waiting += [(node.get("/Next"), level), (node.get("/First"), level + 1)]


def _title(node: dict[str, Any]) -> str:
    title = resolved(node.get("/Title"))
    if isinstance(title, bytes):  # in no encoding that pypdf knows
        title = title.decode("latin-1")
    return title[:_LONGEST_TITLE] if isinstance(title, str) else ""


class _Destinations:
    """Finds the page that an outline's item leads to; the document's names are looked at only when one is used."""

    def __init__(self, reader: PdfReader, pages: dict[int, int]) -> None:
        self._reader = reader
        self._pages = pages
        self._named: dict[str | bytes, Any] | None = None

    def page(self, node: dict[str, Any]) -> int | None:
        """Return the index of an item's page, None where it leads to no page of this file."""
        place = resolved(node.get("/Dest"))
        action = resolved(node.get("/A"))
        if place is None and isinstance(action, dict) and action.get("/S") == "/GoTo":
            place = resolved(action.get("/D"))
        if isinstance(place, str | bytes):
            if self._named is None:
                self._named = dict(_names(self._reader.root_object))
            place = resolved(self._named.get(place))
        if isinstance(place, dict):
            place = resolved(place.get("/D"))
        if not isinstance(place, list) or not place:
            return None
        target = place[0]
        if isinstance(target, int):  # meant for other files' pages, and used for the own ones all the same
            return target if 0 <= target < len(self._pages) else None
        return self._pages.get(getattr(target, "idnum", -1))


def _names(catalog: dict[str, Any]) -> Iterator[tuple[str | bytes, Any]]:
    """Yield named destinations: those of PDF 1.1, and the leaves of the name tree of later ones."""
    old = resolved(catalog.get("/Dests"))
    if isinstance(old, dict):
        yield from old.items()
    names = resolved(catalog.get("/Names"))
    waiting = [resolved(names.get("/Dests"))] if isinstance(names, dict) else []
    seen: set[int] = set()
    count = 0
    while waiting and count < _MOST_NAMES:
        node = waiting.pop()
        if not isinstance(node, dict) or id(node) in seen:
            continue
        seen.add(id(node))
        waiting += map(resolved, array(node.get("/Kids")))
        pairs = iter(array(node.get("/Names")))
        for key, value in zip(pairs, pairs, strict=False):
            name = resolved(key)
            if isinstance(name, str | bytes):
                count += 1
                yield name, value
