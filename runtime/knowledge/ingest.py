"""From a project's files to its knowledge arrays: read, cut, embed, index; nothing that was done before is done again.

Everything finished is in a cache at once, so that after Ctrl-C, a crash or a full disk the next run goes on from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np

from satchel.kernels import ops
from satchel.kernels.arrays import QuantisedRows
from satchel.runtime.knowledge.building import IndexedDocument, build_arrays
from satchel.runtime.knowledge.documents import ExtractedText, PassageSpan
from satchel.runtime.knowledge.embedder import Embedder
from satchel.runtime.knowledge.errors import DocumentError
from satchel.runtime.knowledge.extract.reader import DocumentReader
from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.knowledge.index import KnowledgeArrays
from satchel.runtime.knowledge.language import detect_language
from satchel.runtime.knowledge.passages import PassageSettings, split
from satchel.runtime.knowledge.recognition.reading import PictureReading, page_runs, with_pictures
from satchel.runtime.knowledge.text_cache import TextCache
from satchel.runtime.knowledge.vector_sources import VectorSource
from satchel.runtime.packfile.schema_v1 import KnowledgeFile
from satchel.runtime.progress import SILENT, Progress

_BATCH_PASSAGES = 256
"""Embedded and cached at once: what Ctrl-C can cost is one batch, a few seconds."""


@dataclass(frozen=True, slots=True)
class KeptText:
    """What a pack brought of a file whose source it did not carry."""

    extracted: ExtractedText
    passages: tuple[PassageSpan, ...] | None
    """As the pack has them, kept because headings are not in a pack; None: they are cut anew."""


@dataclass(frozen=True, slots=True)
class KnowledgeInput:
    """One file to be known: on the disk (`path`), or `kept`."""

    file: KnowledgeFile
    """Name, hash, size, ticks, and the author's word on the language (empty: detect); the rest is found here."""
    path: Path | None
    kept: KeptText | None = None
    read_pictures: bool = False
    """Pages without text are to be read from their pictures."""


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file and its text; an unreadable one has no text and its reason in `file.problem`."""

    file: KnowledgeFile
    extracted: ExtractedText
    kept_passages: tuple[PassageSpan, ...] | None = None


class VectorStore(VectorSource, Protocol):
    """A source that learns: the cache of this machine."""

    def put(self, texts: Sequence[str], rows: QuantisedRows, fingerprint: EmbedderFingerprint) -> None:
        """Keep rows that were computed here."""


def read_files(
    inputs: Sequence[KnowledgeInput],
    reader: DocumentReader,
    texts: TextCache,
    *,
    pictures: PictureReading | None = None,
    fresh: bool = False,
    progress: Progress = SILENT,
) -> list[ReadFile]:
    """Extract every file, in the order given; with `fresh` even those whose text is in the cache.

    Without `pictures` no page can be read from its picture, and files that are to be are told to need the extra.
    """
    found = []
    for entry in inputs:
        file, extracted = entry.file, ExtractedText(entry.file.media_type, "")
        if entry.kept is not None:
            extracted = entry.kept.extracted
        elif entry.path is not None and not file.problem:
            try:
                file, extracted = _extract(entry, reader, texts, pictures, progress, fresh=fresh)
            except DocumentError as error:
                file = msgspec.structs.replace(file, problem=f"{error.message} {error.advice}".strip())
        notes = "; ".join(extracted.notes)
        file = msgspec.structs.replace(
            file,
            media_type=extracted.media_type or file.media_type,
            language=file.language or detect_language(extracted.text),
            problem=file.problem or notes,
            picture_pages=page_runs(extracted.from_pictures),
        )
        found.append(ReadFile(file, extracted, entry.kept.passages if entry.kept is not None else None))
    return found


def index_files(
    files: Sequence[ReadFile],
    settings: PassageSettings,
    embedder: Embedder,
    sources: Sequence[VectorSource],
    cache: VectorStore,
    *,
    progress: Progress = SILENT,
) -> KnowledgeArrays:
    """Cut texts into passages, find or compute their vectors, and lay everything out.

    `sources` are asked in their order; what is computed goes into `cache`, which is asked only when it is among them.
    """
    within = settings.within(embedder.fingerprint, embedder.count_tokens_many)
    documents = []
    for number, entry in enumerate(files, 1):
        spans = entry.kept_passages
        if spans is None:
            spans = tuple(split(entry.extracted, within, embedder.count_tokens_many))
        documents.append(IndexedDocument(entry.file, entry.extracted, spans))
        progress("finding passages", number, len(files))
    passages = [text for document in documents for text in document.passage_texts()]
    vectors = find_vectors(passages, embedder, sources, cache, progress=progress)
    return build_arrays(documents, vectors, embedder.fingerprint)


def find_vectors(
    passages: Sequence[str],
    embedder: Embedder,
    sources: Sequence[VectorSource],
    cache: VectorStore,
    *,
    progress: Progress = SILENT,
) -> QuantisedRows:
    """Return the rows of all passages: from the first source that knows each, else computed and put into the cache."""
    dimension = embedder.fingerprint.dimension
    high = np.zeros((len(passages), dimension), np.int8)
    low = np.zeros_like(high)
    scale = np.zeros(len(passages), np.float32)
    missing = np.arange(len(passages))

    def place(at: np.typing.NDArray[np.int64], rows: QuantisedRows) -> None:
        high[at], low[at], scale[at] = rows.high, rows.low, rows.scale

    for source in sources:
        if not len(missing):
            break
        known, rows = source.find([passages[row] for row in missing.tolist()], embedder.fingerprint)
        place(missing[known], rows)
        missing = np.delete(missing, known)
    done = len(passages) - len(missing)
    progress("embedding passages", done, len(passages))
    for start in range(0, len(missing), _BATCH_PASSAGES):
        batch = missing[start : start + _BATCH_PASSAGES]
        texts = [passages[row] for row in batch.tolist()]
        rows = ops.quantise(embedder.embed_passages(texts, progress=_counting_on(progress, done, len(passages))))
        cache.put(texts, rows, embedder.fingerprint)
        place(batch, rows)
        done += len(batch)
        progress("embedding passages", done, len(passages))
    return QuantisedRows(high, low, scale)


def _counting_on(progress: Progress, before: int, whole: int) -> Progress:
    """Report the steps of one batch as steps of the whole; being asked in between, it can cancel within a batch."""

    def step(stage: str, done: int, total: int | None) -> None:
        progress(stage, before + done, whole if total is not None else None)

    return step


def _extract(
    entry: KnowledgeInput,
    reader: DocumentReader,
    texts: TextCache,
    pictures: PictureReading | None,
    progress: Progress,
    *,
    fresh: bool,
) -> tuple[KnowledgeFile, ExtractedText]:
    """Return a file's text, and the file as it was when that was read: it may have changed since it was hashed."""
    path, file = entry.path, entry.file
    assert path is not None  # it lies on the disk
    suffix = path.suffix
    kind = pictures.recogniser if entry.read_pictures and pictures is not None else ""
    if not fresh and (cached := texts.get(file.sha256, suffix, kind)) is not None:
        return file, cached
    read = reader.read(path, name=file.name, pictures={} if entry.read_pictures else None, progress=progress)
    if read.extracted.unread_pictures:
        read = with_pictures(read, path, file.name, reader, pictures, fresh=fresh, progress=progress)
    if not read.extracted.unread_pictures:  # they may be read the next time
        texts.put(read.sha256, suffix, read.extracted, kind)
    return msgspec.structs.replace(file, sha256=read.sha256, size=read.size), read.extracted
