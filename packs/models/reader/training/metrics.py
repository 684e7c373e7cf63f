"""The SQuAD measures, as its official script has them, and calibration error."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalise(answer: str) -> str:
    """Lower case, without punctuation, articles and extra white space."""
    return " ".join(_ARTICLES.sub(" ", answer.lower().translate(_PUNCTUATION)).split())


def exact_match(answer: str, references: Sequence[str]) -> float:
    """Return 1.0 when the answer equals a reference after `normalise`."""
    return float(any(normalise(answer) == normalise(reference) for reference in references))


def best_f1(answer: str, references: Sequence[str]) -> float:
    """Return the highest F1 of words shared with a reference."""
    return max((_f1(normalise(answer).split(), normalise(reference).split()) for reference in references), default=0.0)


def calibration_error(
    probability: ArrayLike, true: ArrayLike, bins: int = 10
) -> tuple[float, list[tuple[float, float, int]]]:
    """Return the expected calibration error over equal bins, and (mean probability, share true, count) of each."""
    p, t = np.asarray(probability, float), np.asarray(true, float)
    place = np.minimum((p * bins).astype(int), bins - 1)
    table = [
        (float(p[place == b].mean()), float(t[place == b].mean()), int((place == b).sum()))
        for b in range(bins)
        if (place == b).any()
    ]
    return sum(abs(said - was) * count for said, was, count in table) / len(p), table


def _f1(answer: list[str], reference: list[str]) -> float:
    if not answer or not reference:
        return float(answer == reference)
    shared = sum((Counter(answer) & Counter(reference)).values())
    return 2 * shared / (len(answer) + len(reference))
