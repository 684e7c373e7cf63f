"""Which passages a question finds, and in which order: vectors, keywords and word pairs, fused.

Each is put on the scale from 0 to 1 by its theoretical bounds first: the cosine as it is, BM25 by the most that the
question could score, pairs by the weight of all. Unlike the candidates own bounds these do not move with what happened
to be found (Bruch et al., "An Analysis of Fusion Functions for Hybrid Retrieval", 2023): nDCG@10 on the SQuAD
train split is .906, .895 by the candidates' own bounds; the pairs add .006 (`runtime/knowledge/README.md`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from satchel.kernels import ops
from satchel.runtime.knowledge.bm25 import Bm25Settings, score_rows
from satchel.runtime.knowledge.index import KnowledgeArrays
from satchel.runtime.knowledge.question import KeywordQuestion, QuestionAnalyser


@dataclass(frozen=True, slots=True)
class RankingSettings:
    """Chosen on the SQuAD train split; the weights' sum is 1."""

    candidates: int = 100
    """How many of the best by vector, and by keyword, are scored in full."""
    paired: int = 50
    """How many of those have their word pairs looked up, which takes their text: about 0.1 ms each."""
    vector_weight: float = 0.36
    keyword_weight: float = 0.44
    pair_weight: float = 0.20
    bm25: Bm25Settings = field(default_factory=Bm25Settings)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Candidates, best first; ties by row. All arrays are [m]."""

    rows: NDArray[np.int64]
    score: NDArray[np.float32]
    """Fused, 0 to 1."""
    vector: NDArray[np.float32] | None
    """Raw cosines; None when there is no query vector."""
    bm25: NDArray[np.float32]
    """Raw BM25."""
    keyword: NDArray[np.float32]
    """BM25 as a share of the most that the question could score."""
    pairs: NDArray[np.float32]
    """Share of the question's word pairs by weight, 0 to 1; the first and the last word are in one pair only."""
    judged_keyword: NDArray[np.float32]
    """`keyword` as the gate sees it: with the weights of a body of 1,000 passages, where there are fewer."""
    judged_pairs: NDArray[np.float32]
    """The same of `pairs`."""


def rank(
    arrays: KnowledgeArrays,
    analyser: QuestionAnalyser,
    questions: Mapping[str, KeywordQuestion],
    vector: NDArray[np.float32] | None,
    *,
    allowed: NDArray[np.bool_] | None = None,
    settings: RankingSettings | None = None,
) -> Ranking:
    """Rank the passages that a question finds; `questions` is what `analyser` made of it, `vector` its unit vector.

    `allowed`, bool [n], limits the search to some passages.
    """
    settings = settings or RankingSettings()
    languages = _RowLanguages(arrays)
    judged = {language: question.judged or question for language, question in questions.items()}
    found = [
        _nearest(arrays, vector, allowed, settings),
        *(
            _with_keywords(arrays, question, languages.allowed(language, allowed), settings)
            for language, question in questions.items()
        ),
    ]
    rows = np.unique(np.concatenate(found))
    rows = rows[rows >= 0]
    cosines = None
    if vector is not None and arrays.vectors is not None:
        planes = arrays.vectors
        none = np.empty(0, np.float32)
        cosines = ops.rescore(planes.high, planes.low, planes.scale, vector, rows) if len(rows) else none
    bm25, keyword, judged_keyword = np.zeros((3, len(rows)), np.float32)
    for language, here in languages.parts(rows):
        asked, weighed = questions[language], judged[language]
        bm25[here] = score_rows(arrays.keywords, asked.terms, rows[here], settings.bm25)
        keyword[here] = bm25[here] / max(asked.weight, 1e-9)
        as_judged = score_rows(arrays.keywords, weighed.terms, rows[here], settings.bm25)
        judged_keyword[here] = as_judged / max(weighed.weight, 1e-9)
    score = settings.keyword_weight * keyword
    if cosines is not None:
        score += settings.vector_weight * np.maximum(cosines, 0)
    pairs, judged_pairs = np.zeros((2, len(rows)), np.float32)
    for at in np.lexsort((rows, -score))[: settings.paired].tolist():
        language = languages.of(int(rows[at]))
        if questions[language].pairs:
            there = set(pairwise(analyser.content_terms(arrays.passage_text(int(rows[at])), language)))
            pairs[at] = questions[language].pair_share(there)
            judged_pairs[at] = judged[language].pair_share(there)
    score += settings.pair_weight * pairs
    if cosines is None:
        score /= settings.keyword_weight + settings.pair_weight
    order = np.lexsort((rows, -score))
    return Ranking(
        rows=rows[order],
        score=score[order],
        vector=None if cosines is None else cosines[order],
        bm25=bm25[order],
        keyword=keyword[order],
        pairs=pairs[order],
        judged_keyword=judged_keyword[order],
        judged_pairs=judged_pairs[order],
    )


class _RowLanguages:
    """The language of each passage, which is its file's."""

    def __init__(self, arrays: KnowledgeArrays) -> None:
        self._arrays = arrays
        self._names = sorted({file.language for file in arrays.files})
        self._number_of_file = np.array([self._names.index(file.language) for file in arrays.files], np.int64)

    def of(self, row: int) -> str:
        """Return one passage's language."""
        file = int(self._arrays.passages[row, 0])
        return self._arrays.files[file].language

    def parts(self, rows: NDArray[np.int64]) -> list[tuple[str, NDArray[np.bool_]]]:
        """Part passages by language: which of `rows` are in each."""
        numbers = self._number_of_file[self._arrays.passages[rows, 0]]
        return [(name, numbers == number) for number, name in enumerate(self._names)]

    def allowed(self, language: str, allowed: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
        """Narrow `allowed` to one language; nothing is read where all files are in it."""
        if len(self._names) == 1:
            return allowed
        in_language: NDArray[np.bool_] = self._number_of_file[self._arrays.passages[:, 0]] == self._names.index(
            language
        )
        return in_language if allowed is None else in_language & allowed


def _nearest(
    arrays: KnowledgeArrays,
    vector: NDArray[np.float32] | None,
    allowed: NDArray[np.bool_] | None,
    settings: RankingSettings,
) -> NDArray[np.int64]:
    if vector is None or arrays.vectors is None or not len(arrays.passages):
        return np.empty(0, np.int64)
    count = min(settings.candidates, len(arrays.passages))
    rows: NDArray[np.int64] = ops.search(arrays.vectors, vector, count, allowed=allowed)[1][0]
    return rows


def _with_keywords(
    arrays: KnowledgeArrays,
    question: KeywordQuestion,
    allowed: NDArray[np.bool_] | None,
    settings: RankingSettings,
) -> NDArray[np.int64]:
    # A term that comes twice in the question counts twice, in the kernel as in `score_rows`.
    numbers = [term.number for term in question.terms for _ in range(term.repeats) if term.number is not None]
    if not numbers:
        return np.empty(0, np.int64)
    count = min(settings.candidates, len(arrays.passages))
    k1, b = settings.bm25.k1, settings.bm25.b
    rows: NDArray[np.int64] = ops.bm25_topk(arrays.keywords.postings, numbers, count, k1=k1, b=b, allowed=allowed)[1]
    return rows
