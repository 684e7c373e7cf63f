"""Bodies of knowledge in memory: texts in, arrays out, cut into passages where the text has a blank line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from satchel.kernels import ops
from satchel.runtime.knowledge.building import IndexedDocument, build_arrays
from satchel.runtime.knowledge.documents import ExtractedText, PassageSpan
from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.knowledge.index import KnowledgeArrays
from satchel.runtime.packfile.schema_v1 import KnowledgeFile

MADE_BY = EmbedderFingerprint(name="four numbers", weights_sha256="1" * 64, dimension=4, pooling="mean", max_tokens=64)


def known_file(name: str, language: str = "en", *, problem: str = "") -> KnowledgeFile:
    """Return a file as the index names it."""
    return KnowledgeFile(
        name=name,
        media_type="text/plain",
        sha256="a" * 64,
        size=1,
        source="",
        bytes=0,
        characters=0,
        pages=0,
        language=language,
        trusted=False,
        public=False,
        problem=problem,
    )


def document(
    name: str,
    text: str,
    language: str = "en",
    *,
    page_starts: Sequence[int] = (),
    page_labels: Sequence[str] = (),
    problem: str = "",
) -> IndexedDocument:
    """Return a file whose passages are its paragraphs."""
    spans = [PassageSpan(found.start(), found.end()) for found in re.finditer(r"\S(?:.|\n(?!\s*\n))*", text)]
    extracted = ExtractedText("text/plain", text, tuple(page_starts), tuple(page_labels))
    return IndexedDocument(known_file(name, language, problem=problem), extracted, spans)


def body(*documents: IndexedDocument, vectors: Sequence[Sequence[float]] | None = None) -> KnowledgeArrays:
    """Return the arrays of some files; `vectors` are rows of the passages, of `MADE_BY.dimension` numbers."""
    rows = None if vectors is None else ops.quantise(unit(vectors))
    return build_arrays(documents, rows, None if vectors is None else MADE_BY)


def of_texts(texts: Mapping[str, str], vectors: Sequence[Sequence[float]] | None = None) -> KnowledgeArrays:
    """Return the arrays of English files, by name."""
    return body(*(document(name, text) for name, text in texts.items()), vectors=vectors)


def unit(vectors: Sequence[Sequence[float]]) -> NDArray[np.float32]:
    """Return rows of length 1."""
    rows = np.asarray(vectors, np.float32).reshape(-1, MADE_BY.dimension)
    return np.ascontiguousarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)
