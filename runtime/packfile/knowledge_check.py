"""One pass over a pack's knowledge, in bounded memory, so that search may trust what it maps.

Afterwards every offset lies within what it points into, at the border of a code point; starts rise; passages, vectors
and postings agree in number; and texts are valid UTF-8 whose characters are counted right, so that citations are exact.
NumPy is imported only when there is knowledge to check.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from satchel.runtime.packfile import names
from satchel.runtime.packfile.canonical import SchemaError
from satchel.runtime.packfile.documents import decode_files, decode_page_labels
from satchel.runtime.packfile.errors import DamagedPackError
from satchel.runtime.packfile.limits import PASSAGES
from satchel.runtime.packfile.pack import Pack
from satchel.runtime.packfile.schema_v1 import KnowledgeFile, PageLabels
from satchel.runtime.progress import SILENT, Progress

_CORE = (names.FILES, names.TEXT, names.PASSAGES)


@dataclass(frozen=True, slots=True)
class KnowledgeCounts:
    """How much a pack knows."""

    files: int = 0
    pages: int = 0
    characters: int = 0
    passages: int = 0
    dimension: int = 0
    """Of the vectors; 0 where there are none."""
    terms: int = 0
    postings: int = 0


def read_files(pack: Pack) -> tuple[KnowledgeFile, ...]:
    """Return the rows of `knowledge/files.json`; none when the pack has no knowledge.

    Raises:
        DamagedPackError: names the row and key.
    """
    if names.FILES not in pack:
        return ()
    try:
        return decode_files(pack.read(names.FILES))
    except SchemaError as error:
        raise DamagedPackError(path=pack.path, reason=f"{names.FILES}: {error}") from error


def read_page_labels(pack: Pack) -> tuple[PageLabels, ...]:
    """Return the rows of `knowledge/page_labels.json`; none where no format has labels.

    Raises:
        DamagedPackError: names the row and key.
    """
    if names.PAGE_LABELS not in pack:
        return ()
    try:
        return decode_page_labels(pack.read(names.PAGE_LABELS))
    except SchemaError as error:
        raise DamagedPackError(path=pack.path, reason=f"{names.PAGE_LABELS}: {error}") from error


def check_knowledge(pack: Pack, *, progress: Progress = SILENT) -> KnowledgeCounts:
    """Check all of it once; the cost is that of reading it.

    Raises:
        DamagedPackError: names the entry, and the row where there is one.
    """
    has_knowledge = any(name.startswith("knowledge/") for name in pack.names)
    if has_knowledge:
        _check_presence(pack)
    _check_fingerprints(pack)
    if not has_knowledge:
        return KnowledgeCounts()
    files = read_files(pack)
    _check_sources(pack, files)
    _check_text_size(pack, files)
    pages = _check_shapes(pack, files)
    _check_page_labels(pack, files)

    from satchel.runtime.packfile.postings_check import check_postings
    from satchel.runtime.packfile.text_check import check_text
    from satchel.runtime.packfile.vectors_check import check_vectors

    check_text(pack, files, progress)
    passages = pack.shape(names.PASSAGES)[0]
    dimension = 0
    if names.VECTORS_HIGH in pack:
        dimension = pack.shape(names.VECTORS_HIGH)[1]
        check_vectors(pack, progress)
    terms = pack.shape(names.BM25_TERM_STARTS)[0] - 1
    postings = pack.shape(names.BM25_PASSAGES)[0]
    check_postings(pack, passages, progress)
    characters = sum(file.characters for file in files)
    return KnowledgeCounts(len(files), pages, characters, passages, dimension, terms, postings)


def _fail(pack: Pack, name: str, reason: str) -> NoReturn:
    raise DamagedPackError(path=pack.path, reason=f"{name}: {reason}")


def _check_fingerprints(pack: Pack) -> None:
    """Compare what the manifest says that it has with what is there: whoever searches goes by the manifest."""
    for name, fingerprint, made_by in (
        (names.VECTORS_HIGH, pack.manifest.embedder, "embedder"),
        (names.BM25_TERMS, pack.manifest.analyser, "analyser"),
    ):
        if name in pack and fingerprint is None:
            _fail(pack, name, f"the manifest names no {made_by}")
        if name not in pack and fingerprint is not None:
            _fail(pack, name, f"it is missing, though the manifest names an {made_by}")


def _check_presence(pack: Pack) -> None:
    for group in (_CORE, names.BM25_ENTRIES, names.VECTOR_ENTRIES):
        present = [name for name in group if name in pack]
        if (group is not names.VECTOR_ENTRIES or present) and len(present) < len(group):
            missing = next(name for name in group if name not in pack)
            _fail(pack, missing, "it is missing, though there is other knowledge")


def _check_sources(pack: Pack, files: tuple[KnowledgeFile, ...]) -> None:
    table = {entry.name: entry for entry in pack.manifest.entries if entry.name.startswith(names.SOURCES)}
    for number, file in enumerate(files):
        if not file.source:
            continue
        entry = table.pop(file.source, None)
        if entry is None:
            _fail(pack, names.FILES, f"[{number}].source: there is no entry {file.source}")
        if (entry.size, entry.sha256) != (file.size, file.sha256):
            _fail(pack, names.FILES, f"[{number}].sha256: {file.source} has another content")
    for name in table:
        _fail(pack, name, "no file has it as its source")


def _check_text_size(pack: Pack, files: tuple[KnowledgeFile, ...]) -> None:
    size, said = pack.location(names.TEXT)[1], sum(file.bytes for file in files)
    if size != said:
        _fail(pack, names.TEXT, f"it has {size} bytes, and the files have {said}")


def _check_shapes(pack: Pack, files: tuple[KnowledgeFile, ...]) -> int:
    """Compare the arrays' lengths with each other; return the number of pages."""
    passages = pack.shape(names.PASSAGES)[0]
    if passages > PASSAGES:
        _fail(pack, names.PASSAGES, f"it has {passages:,} passages, at most {PASSAGES:,} are allowed")
    pages = pack.shape(names.PAGES)[0] if names.PAGES in pack else 0
    if pages != (said := sum(file.pages for file in files)):
        _fail(pack, names.PAGES, f"it has {pages} pages, and the files have {said}")
    expected: dict[str, tuple[int, ...]] = {}
    if names.VECTORS_HIGH in pack:
        assert pack.manifest.embedder is not None
        row = (passages, pack.manifest.embedder.dimension)
        expected |= {names.VECTORS_HIGH: row, names.VECTORS_LOW: row, names.VECTORS_SCALE: (passages,)}
    starts = pack.shape(names.BM25_TERM_STARTS)
    if starts[0] < 1:
        _fail(pack, names.BM25_TERM_STARTS, "it is empty")
    postings = pack.shape(names.BM25_PASSAGES)
    expected |= {
        names.BM25_POSTINGS: starts,
        names.BM25_COUNTS: postings,
        names.BM25_LENGTHS: (passages,),
    }
    for name, shape in expected.items():
        if (found := pack.shape(name)) != shape:
            _fail(pack, name, f"its shape is {list(found)}, and {list(shape)} is expected")
    return pages


def _check_page_labels(pack: Pack, files: tuple[KnowledgeFile, ...]) -> None:
    for number, row in enumerate(read_page_labels(pack)):
        if row.file >= len(files):
            _fail(pack, names.PAGE_LABELS, f"[{number}].file: there is no file {row.file}")
        if len(row.labels) != files[row.file].pages:
            _fail(pack, names.PAGE_LABELS, f"[{number}].labels: they are not one a page")
