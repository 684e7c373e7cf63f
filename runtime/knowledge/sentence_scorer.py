"""Picks the sentence that answers, without a trained reader: words, vectors and cues, weighed by a linear model.

Every sentence of the passages is weighed by its words first; the best few are embedded and weighed again. The weights
are those of a conditional logit (which of a question's sentences holds the answer), fitted on SQuAD's train split by
`tests/bench/fit_quoting.py`; `sentence_scorer.json` holds them and what they reach on the dev split.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from satchel.runtime.knowledge.cues import Asked, Expected, expected_answer
from satchel.runtime.knowledge.question import KeywordQuestion, QuestionAnalyser
from satchel.runtime.knowledge.reader.reader import ReaderResult, ReadSpan
from satchel.runtime.knowledge.statements import statements

_FILE = Path(__file__).with_name("sentence_scorer.json")
_FEWEST_TERMS = 2
_PRONOUNS = frozenset(
    {"it", "he", "she", "they", "this", "these", "that", "those", "its", "his", "her", "their", "such"}
)

WORD_FEATURES = (
    "passage",
    "first",
    "held",
    "held_before",
    "pairs",
    "cue",
    "length",
    "new",
    "ends",
    "defines",
    "pronoun",
    "opens",
)
"""Features of a sentence that need no vector, in the order of the weights."""


class SentenceEmbedder(Protocol):
    """What embeds questions and sentences: the passages' own embedder."""

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors [len(texts), d]."""

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return one unit vector [d]."""


class ScorerModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`sentence_scorer.json`."""

    words: list[float]
    """Weights of `WORD_FEATURES` where no sentence is embedded."""
    vectors: list[float]
    """Weights of `WORD_FEATURES` and the cosine."""
    sure_words: tuple[float, float, float]
    """From (1, best score, lead over the second) to the log-odds that the best sentence is right."""
    sure_vectors: tuple[float, float, float]
    date: str
    fitted_on: str
    measured: dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class SentenceCandidate:
    """A sentence of one of the passages, and its `WORD_FEATURES`."""

    passage: int
    start: int
    end: int
    features: tuple[float, ...]


class SentenceScorer:
    """Reads as the trained Reader does; its span is the whole sentence. Belongs to one thread."""

    def __init__(
        self,
        analyser: QuestionAnalyser,
        embedder: SentenceEmbedder | None,
        *,
        embedded: int = 8,
        model: ScorerModel | None = None,
    ) -> None:
        """`embedded` is how many sentences a question may cost: about 6 ms each on two cores."""
        self._analyser = analyser
        self._embedder = embedder
        self._embedded = embedded
        self._model = model or msgspec.json.decode(_FILE.read_bytes(), type=ScorerModel)

    def read(self, question: str, passages: Sequence[str], relevance: Sequence[float] | None = None) -> ReaderResult:
        """Return the best sentence of each passage, the best of all, and how likely it is that none answers.

        `relevance` is the search's score of each passage, 0 to 1.
        """
        candidates = self.candidates(question, passages, relevance or [0.0] * len(passages))
        if not candidates:
            return ReaderResult(tuple(ReadSpan(0, 0, 0.0) for _ in passages), None, 1.0)
        scores = np.array([candidate.features for candidate in candidates]) @ np.array(self._model.words)
        sure = self._model.sure_words
        if self._embedder is not None:
            chosen = np.argsort(-scores, kind="stable")[: self._embedded]
            candidates = [candidates[number] for number in chosen]
            scores = self.with_vectors(question, passages, candidates) @ np.array(self._model.vectors)
            sure = self._model.sure_vectors
        return _as_result(candidates, scores, sure, len(passages))

    def candidates(self, question: str, passages: Sequence[str], relevance: Sequence[float]) -> list[SentenceCandidate]:
        """Return the sentences that may be quoted, in order, with their features; `relevance` is 0 to 1."""
        questions = self._analyser.analyse(question)
        expected = expected_answer(question)
        best = max(relevance, default=0.0)
        return [
            candidate
            for number, text in enumerate(passages)
            for candidate in self._of_passage(number, text, (relevance[number], best), expected, questions)
        ]

    def with_vectors(
        self, question: str, passages: Sequence[str], candidates: Sequence[SentenceCandidate]
    ) -> NDArray[np.float64]:
        """Return `WORD_FEATURES` and the cosine of each candidate, [candidates, features]."""
        assert self._embedder is not None  # the caller looked
        texts = [passages[candidate.passage][candidate.start : candidate.end] for candidate in candidates]
        cosines = self._embedder.embed_passages(texts) @ self._embedder.embed_query(question)
        return np.column_stack([[candidate.features for candidate in candidates], cosines]).astype(np.float64)

    def _of_passage(
        self,
        number: int,
        text: str,
        relevance: tuple[float, float],
        expected: Expected,
        questions: Mapping[str, KeywordQuestion],
    ) -> Iterator[SentenceCandidate]:
        language, keyword_question = self._language_of(text, questions)
        weights = {term.text: term.weight for term in keyword_question.terms}
        whole = max(keyword_question.weight, 1e-9)
        before: set[str] = set()
        for place, sentence in enumerate(statements(text)):
            said = text[sentence.start : sentence.end]
            line = self._analyser.content_terms(said, language)
            terms = set(line)
            held = sum(weight for term, weight in weights.items() if term in terms)
            around = sum(weight for term, weight in weights.items() if term in terms or term in before)
            there = set(pairwise(line))
            pairs = sum(weight for pair, weight in keyword_question.pairs.items() if pair in there)
            before = terms
            if len(line) < _FEWEST_TERMS:
                continue
            has_cue = expected.is_in(said)
            features = (
                relevance[0],
                float(relevance[0] == relevance[1]),
                held / whole,
                around / whole,
                pairs / (2 * whole),
                float(has_cue and expected.kind is not Asked.DEFINITION),
                math.log(len(line)),
                len(terms - weights.keys()) / len(terms),
                float(said[-1] in '.!"”’)»。！؟।'),  # noqa: RUF001 - real punctuation
                float(has_cue and expected.kind is Asked.DEFINITION),
                float(said.split(maxsplit=1)[0].casefold() in _PRONOUNS),
                float(place == 0),
            )
            yield SentenceCandidate(number, sentence.start, sentence.end, features)

    def _language_of(self, text: str, questions: Mapping[str, KeywordQuestion]) -> tuple[str, KeywordQuestion]:
        """Return the language in which the passage holds most of the question; passages do not say theirs here."""
        if len(questions) == 1:
            return next(iter(questions.items()))

        def held(language: str) -> float:
            terms = set(self._analyser.content_terms(text, language))
            return sum(term.weight for term in questions[language].terms if term.text in terms)

        language = max(questions, key=held)
        return language, questions[language]


def _as_result(
    candidates: Sequence[SentenceCandidate], scores: NDArray[np.float64], sure: Sequence[float], passages: int
) -> ReaderResult:
    """Keep the best sentence of each passage, with the estimated probability that it answers."""
    order = np.argsort(-scores, kind="stable")
    best: dict[int, int] = {}
    for at in order.tolist():
        best.setdefault(candidates[at].passage, at)
    top = float(scores[order[0]])
    second = float(scores[order[1]]) if len(order) > 1 else top - 1.0
    chances = {
        at: _chance(
            sure[0] + sure[1] * float(scores[at]) + sure[2] * (float(scores[at]) - (second if at == order[0] else top))
        )
        for at in best.values()
    }
    spans = tuple(
        ReadSpan(candidates[best[number]].start, candidates[best[number]].end, chances[best[number]])
        if number in best
        else ReadSpan(0, 0, 0.0)
        for number in range(passages)
    )
    first = int(order[0])
    return ReaderResult(spans, candidates[first].passage, 1.0 - chances[first])


def _chance(log_odds: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, log_odds))))
