"""The relevance gate: whether a passage bears on a question at all, judged by raw scores and never by fused ones.

A logistic model over three features: raw cosine, BM25 as a share of the most that the question could score, share of
its word pairs (both with the weights of a body of 1,000 passages, where there are fewer).
`tests/bench/calibrate_gate.py` fits it; `gate.json` holds the coefficients and how they did on articles that they were
not fitted on. There is no verdict in a language, or with an embedder, that it was not measured with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.knowledge.ranking import Ranking

_FEW = 20
"""So few passages, all of them candidates, mix subjects (a handbook on one page), and whoever asks knows what the file
is about: the lower threshold holds for the best one as well."""
_FILE = Path(__file__).with_name("gate.json")


class GateModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Coefficients: relevance = 1 / (1 + exp(-(intercept + …)))."""

    intercept: float
    vector: float
    keyword: float
    pairs: float
    threshold: float
    """The best passage has to reach this, or the files do not hold what was asked."""
    passage_threshold: float
    """Once one has, the others are shown from here on."""


class Calibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One model, what it was fitted on, and what it was measured with."""

    embedder: str
    """Name; empty for keywords alone."""
    weights_sha256: str
    """Of the embedder; empty for keywords alone."""
    languages: list[str]
    model: GateModel
    date: str
    fitted_on: str
    measured: dict[str, dict[str, float]]
    """By set: shares of questions, see `tests/bench/calibrate_gate.py`."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the gate made of a ranking; both arrays are [m]."""

    relevance: NDArray[np.float32]
    """Estimated probability that the passage bears on the question; NaN where the gate gives no verdict."""
    passes: NDArray[np.bool_]


class Gate:
    """Judges passages. Its setting is a project's `retrieval.gate`: `auto`, `off`, or a threshold of one's own."""

    def __init__(
        self,
        calibrations: Sequence[Calibration],
        setting: Literal["auto", "off"] | float,
        embedder: EmbedderFingerprint | None,
    ) -> None:
        """`embedder` is what embeds the questions; None when nothing does."""
        self._threshold = setting if isinstance(setting, float | int) else None
        self.is_on = setting != "off"
        weights = embedder.weights_sha256 if embedder is not None else ""
        self._with_vectors = _by_language(calibrations, weights) if weights else {}
        self._by_keywords = _by_language(calibrations, "")

    def judge(self, ranking: Ranking, languages: Sequence[str]) -> Judgement:
        """Judge every candidate, 0 to 1; `languages` are those of their files. What gets no verdict passes."""
        relevance = np.full(len(ranking.rows), np.nan, np.float32)
        wanted, kept = np.zeros((2, len(ranking.rows)), np.float32)
        few = ranking.vector is not None and len(ranking.rows) <= _FEW
        models = self._by_keywords if ranking.vector is None else self._with_vectors
        for language, model in models.items() if self.is_on else ():
            here = np.array([name == language for name in languages], np.bool_)
            relevance[here] = _relevance(model, ranking)[here]
            least = model.passage_threshold if few else model.threshold
            wanted[here] = least if self._threshold is None else self._threshold
            kept[here] = model.passage_threshold if self._threshold is None else self._threshold
        unjudged = np.isnan(relevance)
        found = bool((relevance >= wanted)[~unjudged].any())
        return Judgement(relevance, unjudged | (found & (relevance >= kept)))


def _by_language(calibrations: Sequence[Calibration], weights_sha256: str) -> dict[str, GateModel]:
    return {
        language: calibration.model
        for calibration in calibrations
        if calibration.weights_sha256 == weights_sha256
        for language in calibration.languages
    }


def load_gate(setting: Literal["auto", "off"] | float, embedder: EmbedderFingerprint | None) -> Gate:
    """Return the gate with the calibrations that come with Satchel."""
    calibrations = msgspec.json.decode(_FILE.read_bytes(), type=list[Calibration])
    return Gate(calibrations, setting, embedder)


def _relevance(model: GateModel, ranking: Ranking) -> NDArray[np.float32]:
    logit = model.intercept + model.keyword * ranking.judged_keyword + model.pairs * ranking.judged_pairs
    if ranking.vector is not None:
        logit = logit + model.vector * ranking.vector
    relevance: NDArray[np.float32] = (1 / (1 + np.exp(-logit))).astype(np.float32)
    return relevance
