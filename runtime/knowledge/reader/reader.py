"""The Reader: asks all passages the question at once, and answers with the exact words of one of them or with none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from satchel.runtime.knowledge.reader.calibration import Calibration, any_answers, evidence, right
from satchel.runtime.knowledge.reader.spans import RawSpan, best_span
from satchel.runtime.knowledge.reader.wordpiece import TokenisedText, WordPiece

MAX_TOKENS = 320
"""Longest input read at once, question and special tokens included: what it was trained and measured on."""
MAX_QUESTION_TOKENS = 40
_ALIKE = 0.02
"""Evidence, in nats, that two passages with the same text may differ by, as they stand in one batch."""
_OVERLAP_TOKENS = 48
"""Tokens that two windows of a longer passage share, so that no answer is cut by both."""


@dataclass(frozen=True, slots=True)
class ReadSpan:
    """The best span of one passage; characters of that passage, end exclusive."""

    start: int
    end: int
    score: float
    """Estimated probability that it is the right answer to the question."""


@dataclass(frozen=True, slots=True)
class ReaderResult:
    """What the passages answer."""

    spans: tuple[ReadSpan, ...]
    """One for each passage, in their order."""
    best: int | None
    """The passage whose span answers best; None without passages."""
    no_answer_probability: float
    """Estimated probability that none of the passages holds the answer: one figure for all of them."""


class TokenEncoder(Protocol):
    """Runs the encoder: token ids in, a vector for each token out."""

    def encode(self, sequences: Sequence[Sequence[int]]) -> list[NDArray[np.float32]]:
        """Return hidden states float32 [tokens, width] of each sequence, special tokens included."""

    def close(self) -> None:
        """Free the model."""


@dataclass(frozen=True, slots=True)
class Head:
    """What turns hidden states into scores."""

    weight: NDArray[np.float32]
    """[3, width]: start and end, for every token, and "is there an answer", for [CLS]."""
    bias: NDArray[np.float32]
    """[3]."""


class Reader:
    """Marks answers in passages. Not for several threads at once."""

    def __init__(self, encoder: TokenEncoder, pieces: WordPiece, head: Head, calibration: Calibration) -> None:
        self._encoder = encoder
        self._pieces = pieces
        self._head = head
        self._calibration = calibration

    def read(self, question: str, passages: Sequence[str], relevance: Sequence[float] | None = None) -> ReaderResult:
        """Find the best span of each passage, the best of all, and how likely it is that none answers.

        `relevance` is the search's score of each passage, 0 to 1: of two like answers the more relevant passage's wins.
        """
        raw = self.read_raw(question, passages)
        if not raw:
            return ReaderResult((), None, 1.0)
        evidences = self.evidence(raw)
        if relevance is not None:
            favoured = self.relevance_weight * (np.asarray(relevance, np.float64) - max(relevance))
            evidences = evidences + favoured
        scores = right(self._calibration, raw, evidences)
        spans = tuple(ReadSpan(span.start, span.end, float(score)) for span, score in zip(raw, scores, strict=True))
        # Of answers that are alike, the search decides, not the last bits of a float.
        alike = np.flatnonzero(evidences >= evidences.max() - _ALIKE)
        best = (
            int(max(alike.tolist(), key=lambda number: relevance[number])) if relevance is not None else int(alike[0])
        )
        return ReaderResult(spans, best, 1.0 - any_answers(self._calibration, evidences))

    def read_raw(self, question: str, passages: Sequence[str]) -> list[RawSpan]:
        """Return the best span of each passage before calibration."""
        asked = self._pieces.tokenise(question).cut(MAX_QUESTION_TOKENS)
        texts = [self._pieces.tokenise(passage) for passage in passages]
        room = MAX_TOKENS - len(asked.ids) - 3
        windows = [(number, at) for number, text in enumerate(texts) for at in window_starts(len(text.ids), room)]
        sequences = [self._sequence(asked, texts[number], at, room) for number, at in windows]
        found: list[RawSpan | None] = [None] * len(passages)
        for (number, at), hidden in zip(windows, self._encoder.encode(sequences), strict=True):
            offsets = texts[number].offsets[at : at + room]
            span = self._span(hidden, offsets, passages[number], first=len(asked.ids) + 2)
            kept = found[number]
            if kept is None or span.margin > kept.margin:
                found[number] = span
        return [span for span in found if span is not None]

    def evidence(self, spans: Sequence[RawSpan]) -> NDArray[np.float64]:
        """Return for each passage the log-odds, float64 [passages], that it answers the question."""
        return evidence(self._calibration, spans)

    @property
    def relevance_weight(self) -> float:
        """What the search's score, 0 to 1, weighs beside the evidence, in nats."""
        return self._calibration.relevance

    def close(self) -> None:
        """Free the model; the Reader cannot be used afterwards."""
        self._encoder.close()

    def _sequence(self, asked: TokenisedText, text: TokenisedText, at: int, room: int) -> list[int]:
        cls, sep = self._pieces.cls, self._pieces.sep
        return [cls, *asked.ids, sep, *text.ids[at : at + room], sep]

    def _span(
        self, hidden: NDArray[np.float32], offsets: Sequence[tuple[int, int]], passage: str, *, first: int
    ) -> RawSpan:
        scores = hidden @ self._head.weight.T + self._head.bias
        return best_span(scores[:, :2], float(scores[0, 2]), offsets, passage, first=first)


def window_starts(tokens: int, room: int) -> list[int]:
    """Return where windows of `room` tokens begin, so that they cover `tokens` and overlap."""
    if tokens <= room:
        return [0]
    step = room - _OVERLAP_TOKENS
    return [*range(0, tokens - room, step), tokens - room]
