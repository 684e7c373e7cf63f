"""From raw scores to probabilities, by logistic models fitted on held-out articles.

Fitted by `packs/models/reader/training/calibrate.py`; how well they hold on unseen articles is in the model card.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from satchel.runtime.knowledge.reader.spans import RawSpan


class Calibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Weights of three logistic models; the last of each is the constant.

    `answers`: margin and answerable logit -> does this passage answer? Its logit is a passage's *evidence*.
    `any_answers`: highest evidence, what the other passages add to it (log-sum-exp), log of their number -> does any?
    `right`: evidence, sharpness, log of the passage's share -> is this span the right answer?
    """

    answers: tuple[float, float, float]
    any_answers: tuple[float, float, float, float]
    right: tuple[float, float, float, float]
    relevance: float = 0.0
    """Nats that the search's score of 0 to 1 adds to a passage's evidence."""


def evidence(calibration: Calibration, spans: Sequence[RawSpan]) -> NDArray[np.float64]:
    """Return for each passage the log-odds, float64 [passages], that it answers the question."""
    return np.asarray(answer_signals(spans) @ np.array(calibration.answers), dtype=np.float64)


def any_answers(calibration: Calibration, evidences: NDArray[np.float64]) -> float:
    """Return the probability that any of the passages answers; 0 without passages."""
    return float(sigmoid(set_signals(evidences) @ np.array(calibration.any_answers))) if len(evidences) else 0.0


def right(calibration: Calibration, spans: Sequence[RawSpan], evidences: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each passage the probability, float64 [passages], that its span is the right answer."""
    return sigmoid(right_signals(spans, evidences) @ np.array(calibration.right))


def answer_signals(spans: Sequence[RawSpan]) -> NDArray[np.float64]:
    """Return what `answers` weighs: float64 [passages, 3]."""
    return np.array([(span.margin, span.answerable, 1.0) for span in spans], dtype=np.float64).reshape(-1, 3)


def set_signals(evidences: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what `any_answers` weighs: float64 [4]."""
    highest = float(evidences.max())
    added = float(np.log(np.exp(evidences - highest).sum()))
    return np.array([highest, added, np.log(len(evidences)), 1.0])


def right_signals(spans: Sequence[RawSpan], evidences: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what `right` weighs: float64 [passages, 4]."""
    highest = float(evidences.max())
    shares = evidences - highest - np.log(np.exp(evidences - highest).sum())
    sharpness = [span.sharpness for span in spans]
    return np.column_stack([evidences, sharpness, shares, np.ones(len(spans))])


def sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logistic function, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * np.asarray(logits, dtype=np.float64))))
