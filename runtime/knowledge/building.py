"""From files, their passages and vectors to the knowledge arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from satchel.kernels.arrays import QuantisedRows
from satchel.runtime.knowledge.analyser import Analyser, analyser_fingerprint
from satchel.runtime.knowledge.bm25 import build_keyword_index
from satchel.runtime.knowledge.documents import ExtractedText, PassageSpan
from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.knowledge.index import KnowledgeArrays
from satchel.runtime.packfile.schema_v1 import KnowledgeFile


@dataclass(frozen=True, slots=True)
class IndexedDocument:
    """One file on its way into the arrays; `build_arrays` fills in `bytes`, `characters` and `pages` of `file`."""

    file: KnowledgeFile
    extracted: ExtractedText
    passages: Sequence[PassageSpan]

    def passage_texts(self) -> list[str]:
        """Return what is embedded and indexed, one text a passage."""
        return [self.extracted.text[span.start : span.end] for span in self.passages]


def build_arrays(
    documents: Sequence[IndexedDocument], vectors: QuantisedRows | None, embedder: EmbedderFingerprint | None
) -> KnowledgeArrays:
    """Lay out text, pages, passages and keywords; rows of `vectors` are the passages, file by file in the order given.

    The same documents in the same order (of their names, by convention) give the same bytes.
    """
    files: list[KnowledgeFile] = []
    pages: list[NDArray[np.uint32]] = []
    passages: list[NDArray[np.uint32]] = []
    first_byte = 0
    for number, document in enumerate(documents):
        extracted = document.extracted
        at = byte_offsets(extracted.text, [*extracted.page_starts, *_borders(document.passages), len(extracted.text)])
        size = at[len(extracted.text)]
        files.append(
            msgspec.structs.replace(
                document.file, bytes=size, characters=len(extracted.text), pages=len(extracted.page_starts)
            )
        )
        pages.append(_table([(number, first_byte + at[start]) for start in extracted.page_starts], 2))
        rows = [
            (number, first_byte + at[span.start], first_byte + at[span.end], span.start, span.end)
            for span in document.passages
        ]
        passages.append(_table(rows, 5))
        first_byte += size
    texts = b"".join(document.extracted.text.encode() for document in documents)
    return KnowledgeArrays(
        files=tuple(files),
        page_labels=_page_labels(documents),
        text=np.frombuffer(texts, np.uint8),
        pages=np.concatenate([_table([], 2), *pages]),
        passages=np.concatenate([_table([], 5), *passages]),
        vectors=vectors,
        keywords=build_keyword_index(_terms(documents)),
        embedder=embedder if vectors is not None else None,
        analyser=analyser_fingerprint(document.file.language for document in documents),
    )


def byte_offsets(text: str, characters: Iterable[int]) -> Mapping[int, int]:
    """Return for each of the character offsets, 0 to `len(text)`, its offset in bytes of UTF-8."""
    wanted = sorted(set(characters))
    if text.isascii():
        return {character: character for character in wanted}
    found: dict[int, int] = {}
    size = before = 0
    for character in wanted:
        size += len(text[before:character].encode())
        found[character] = size
        before = character
    return found


def _borders(passages: Sequence[PassageSpan]) -> Iterator[int]:
    for span in passages:
        yield span.start
        yield span.end


def _table(rows: Sequence[tuple[int, ...]], columns: int) -> NDArray[np.uint32]:
    return np.asarray(rows, np.uint32).reshape(-1, columns)


def _page_labels(documents: Sequence[IndexedDocument]) -> dict[int, tuple[str, ...]]:
    labels = ((number, document.extracted.page_labels) for number, document in enumerate(documents))
    return {number: row for number, row in labels if row}


def _terms(documents: Sequence[IndexedDocument]) -> Iterator[list[str]]:
    analysers: dict[str, Analyser] = {}
    for document in documents:
        language = document.file.language
        analyser = analysers.setdefault(language, Analyser(language))
        for text in document.passage_texts():
            yield analyser.terms(text)
