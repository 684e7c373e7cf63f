"""The knowledge arrays of DESIGN 4, mapped as they lie in a pack or folder, or fresh from `building`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from satchel.kernels.arrays import Postings, QuantisedRows
from satchel.runtime.knowledge.answers import PageStart
from satchel.runtime.knowledge.bm25 import KeywordIndex
from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.packfile import names
from satchel.runtime.packfile.documents import decode_files, decode_page_labels, encode_files, encode_page_labels
from satchel.runtime.packfile.pack import Pack
from satchel.runtime.packfile.schema_v1 import AnalyserFingerprint, KnowledgeFile, PageLabels


@dataclass(frozen=True, slots=True)
class Place:
    """Where something lies in a file, as citations say it."""

    page: int | None
    """Counted from 1; None where the format has no pages."""
    label: str
    """The printed page label, or empty."""


@dataclass(frozen=True, slots=True)
class KnowledgeArrays:
    """What DESIGN 4's table holds; every array may be a read-only map of a file, and none is copied at opening."""

    files: tuple[KnowledgeFile, ...]
    page_labels: Mapping[int, tuple[str, ...]]
    """Printed labels, one a page, of the files (by number) that have them."""
    text: NDArray[np.uint8]
    """UTF-8 of all files, one after another."""
    pages: NDArray[np.uint32]
    """[p, 2]: file, first byte."""
    passages: NDArray[np.uint32]
    """[n, 5]: file, first byte, end byte, first character and end character within the file."""
    vectors: QuantisedRows | None
    keywords: KeywordIndex
    embedder: EmbedderFingerprint | None
    """What made `vectors`."""
    analyser: AnalyserFingerprint

    @classmethod
    def from_pack(cls, pack: Pack) -> Self:
        """Map a pack's arrays; only in a worker process, since a mapped file that is cut short kills its reader."""
        assert pack.manifest.analyser is not None  # checked when the pack was verified
        entries = {name: pack.array(name) for name in pack.names if name in _ARRAYS}
        labels = pack.read(names.PAGE_LABELS) if names.PAGE_LABELS in pack else b"[]"
        return cls.from_entries(entries, pack.read(names.FILES), labels, pack.manifest.embedder, pack.manifest.analyser)

    @classmethod
    def from_entries(
        cls,
        entries: Mapping[str, NDArray[Any]],
        files: bytes,
        labels: bytes,
        embedder: EmbedderFingerprint | None,
        analyser: AnalyserFingerprint,
    ) -> Self:
        """Put arrays, by their names in a pack, into their places."""
        high, low, scale = (entries.get(name) for name in names.VECTOR_ENTRIES)
        return cls(
            files=decode_files(files),
            page_labels={row.file: row.labels for row in decode_page_labels(labels)},
            text=entries[names.TEXT],
            pages=entries.get(names.PAGES, np.empty((0, 2), np.uint32)),
            passages=entries[names.PASSAGES],
            vectors=None if high is None or low is None or scale is None else QuantisedRows(high, low, scale),
            keywords=KeywordIndex(
                entries[names.BM25_TERMS],
                entries[names.BM25_TERM_STARTS],
                Postings(
                    offsets=entries[names.BM25_POSTINGS],
                    passages=entries[names.BM25_PASSAGES],
                    counts=entries[names.BM25_COUNTS],
                    lengths=entries[names.BM25_LENGTHS],
                ),
            ),
            embedder=embedder,
            analyser=analyser,
        )

    def entries(self) -> Iterator[tuple[str, bytes | NDArray[Any]]]:
        """Yield what a pack holds of this, by name; `write_pack` takes it as it is."""
        yield names.FILES, encode_files(self.files)
        if self.page_labels:
            rows = tuple(PageLabels(file=file, labels=labels) for file, labels in sorted(self.page_labels.items()))
            yield names.PAGE_LABELS, encode_page_labels(rows)
        if len(self.pages):
            yield names.PAGES, self.pages
        yield names.TEXT, self.text
        yield names.PASSAGES, self.passages
        if self.vectors is not None:
            yield from zip(names.VECTOR_ENTRIES, (self.vectors.high, self.vectors.low, self.vectors.scale), strict=True)
        words, postings = self.keywords, self.keywords.postings
        arrays = (
            words.terms,
            words.term_starts,
            postings.offsets,
            postings.passages,
            postings.counts,
            postings.lengths,
        )
        yield from zip(names.BM25_ENTRIES, arrays, strict=True)

    def passage_text(self, row: int) -> str:
        """Return the passage of row 0 to n - 1; only its own bytes are read."""
        _, start, end, _, _ = self.passages[row].tolist()
        return self._text(start, end)

    def file_text(self, file: int) -> str:
        """Return the whole text of one file."""
        start = sum(entry.bytes for entry in self.files[:file])
        return self._text(start, start + self.files[file].bytes)

    def place(self, file: int, byte: int) -> Place:
        """Return the page, counted from 1, that holds a byte of `text`: one of `file`'s, counted over all files."""
        if not self.files[file].pages:
            return Place(None, "")
        first, last = np.searchsorted(self.pages[:, 0], (file, file + 1))
        page = int(np.searchsorted(self.pages[first:last, 1], byte, side="right"))
        labels = self.page_labels.get(file, ())
        return Place(max(1, page), labels[max(1, page) - 1] if labels else "")

    def is_from_picture(self, file: int, page: int | None) -> bool:
        """Tell whether the text of a page, counted from 1, was read from its picture."""
        return page is not None and any(first <= page <= last for first, last in self.files[file].picture_pages)

    def further_pages(self, row: int) -> tuple[PageStart, ...]:
        """Return the pages that begin within a passage, after its first character; an empty page begins nowhere."""
        file, start, end, first_character, _ = self.passages[row].tolist()
        first, last = np.searchsorted(self.pages[:, 0], (file, file + 1))
        starts = np.unique(self.pages[first:last, 1])
        begin, stop = np.searchsorted(starts, start, side="right"), np.searchsorted(starts, end)
        found = []
        for byte in starts[begin:stop].tolist():
            place = self.place(file, byte)
            assert place.page is not None  # this file has pages
            found.append(PageStart(first_character + len(self._text(start, byte)), place.page, place.label))
        return tuple(found)

    def rows_of_file(self, file: int) -> range:
        """Return the passages of one file; they lie together."""
        first, last = np.searchsorted(self.passages[:, 0], (file, file + 1))
        return range(int(first), int(last))

    def _text(self, start: int, end: int) -> str:
        return self.text[start:end].tobytes().decode()


_ARRAYS = frozenset({names.TEXT, names.PAGES, names.PASSAGES, *names.VECTOR_ENTRIES, *names.BM25_ENTRIES})
