"""A question set as the product indexes it, and which passages are relevant to which question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from embedded_once import EmbeddedOnce
from numpy.typing import NDArray
from question_sets import BenchQuestion, QuestionSet

from satchel.kernels import ops
from satchel.runtime.knowledge.building import IndexedDocument, build_arrays
from satchel.runtime.knowledge.documents import ExtractedText, PassageSpan
from satchel.runtime.knowledge.index import KnowledgeArrays
from satchel.runtime.knowledge.passages import PassageSettings, split
from satchel.runtime.packfile.schema_v1 import KnowledgeFile


@dataclass(frozen=True, slots=True)
class IndexedSet:
    """A question set, its arrays, and the questions' vectors."""

    questions: QuestionSet
    arrays: KnowledgeArrays
    query_vectors: NDArray[np.float32]


def index_set(questions: QuestionSet, vectors: EmbeddedOnce, settings: PassageSettings | None = None) -> IndexedSet:
    """Cut, embed and index a set's documents as `satchel index` does."""
    embedder = vectors.embedder
    within = (settings or PassageSettings()).within(embedder.fingerprint, embedder.count_tokens_many)
    documents = []
    for document in questions.documents:
        extracted = ExtractedText("text/plain", document.text)
        documents.append(index_document(document.name, extracted, split(extracted, within, embedder.count_tokens_many)))
    texts = [text for document in documents for text in document.passage_texts()]
    rows = ops.quantise(vectors.vectors(texts))
    return IndexedSet(
        questions,
        build_arrays(documents, rows, embedder.fingerprint),
        vectors.vectors([question.text for question in questions.questions]),
    )


def index_document(name: str, extracted: ExtractedText, passages: Sequence[PassageSpan]) -> IndexedDocument:
    """Return an English text file, ready for the arrays."""
    file = KnowledgeFile(
        name=name,
        media_type="text/plain",
        sha256="",
        size=0,
        source="",
        bytes=0,
        characters=0,
        pages=0,
        language="en",
        trusted=False,
        public=False,
        problem="",
    )
    return IndexedDocument(file, extracted, passages)


def held_spans(question: BenchQuestion, passages: NDArray[np.int64], held_share: float) -> NDArray[np.bool_]:
    """Return [spans, n]: which passages (rows of file, start, end) hold enough of each span."""
    file, start, end = passages.T
    return np.array(
        [
            (file == question.document)
            & (np.minimum(end, last) - np.maximum(start, first) >= held_share * (last - first))
            for first, last in question.spans
        ]
    )
