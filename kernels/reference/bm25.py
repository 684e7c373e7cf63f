"""BM25 over integer postings, term after term.

The variant is Lucene's: idf = ln(1 + (n - df + 0.5) / (df + 0.5)), without the constant factor k1 + 1, which changes
no rank. The native backends skip passages that cannot reach the top k (MaxScore); they sum a passage's terms in the
same order, so they give the same bytes as this full evaluation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from satchel.kernels.arrays import Postings
from satchel.kernels.backend import Allowed, Bm25Weights, Ranking
from satchel.kernels.reference.selection import WORST, select_topk


@dataclass(frozen=True, slots=True)
class WeightedTerm:
    """One distinct term of a query."""

    start: int
    end: int
    """Its postings."""
    weight: np.float32
    """Inverse document frequency times how often the query has the term; > 0."""


def weigh_terms(postings: Postings, terms: NDArray[np.int64]) -> list[WeightedTerm]:
    """Return the distinct terms that any passage holds, weight falling, equal weights by term number.

    Raises:
        ValueError: a number is no term's, or the offsets of a term lie.
    """
    weighted: list[WeightedTerm] = []
    numbers, repeats = np.unique(terms, return_counts=True)
    n = postings.lengths.shape[0]
    for number, repeat in zip(numbers.tolist(), repeats.tolist(), strict=True):
        if not 0 <= number < postings.terms:
            raise ValueError(f"terms: {number} is no term number, there are {postings.terms}")
        start, end = int(postings.offsets[number]), int(postings.offsets[number + 1])
        if not start <= end <= postings.passages.shape[0] or end - start > n:
            raise ValueError(f"offsets: term {number} claims postings {start} to {end} of {len(postings.passages)}")
        if start < end:
            weight = repeat * math.log1p((n - (end - start) + 0.5) / (end - start + 0.5))
            weighted.append(WeightedTerm(start=start, end=end, weight=np.float32(weight)))
    return sorted(weighted, key=lambda term: -term.weight)


def bm25_topk(postings: Postings, terms: NDArray[np.int64], weights: Bm25Weights, k: int, allowed: Allowed) -> Ranking:
    """Return scores and passages, [k]; a passage without any of the terms is not found."""
    floor, slope = np.float32(weights.floor), np.float32(weights.slope)
    scores = np.zeros(postings.lengths.shape[0], dtype=np.float32)
    for term in weigh_terms(postings, terms):
        passages = postings.passages[term.start : term.end]
        counts = postings.counts[term.start : term.end].astype(np.float32)
        lengths = postings.lengths[passages].astype(np.float32)
        scores[passages] += term.weight * (counts / (counts + (floor + slope * lengths)))
    return select_topk(np.where(scores > 0, scores, WORST), k, allowed)
