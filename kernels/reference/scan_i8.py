"""Scan of the high plane against an 8-bit query.

The query is quantised like a row's high plane, so the dot product is an integer and exact in any order:
score = (dot x row scale) x query scale. A query that is not finite finds nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from satchel.kernels.arrays import QuantisedRows
from satchel.kernels.backend import Allowed, Ranking
from satchel.kernels.reference.quantise import quantise
from satchel.kernels.reference.selection import select_topk

ROWS_AT_A_TIME = 8192
"""Widening a chunk of rows at a time keeps the copy within the caches."""


def score_i8(rows: QuantisedRows, query: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the score of every row, float32 [n]."""
    coarse = quantise(query[None, :])
    scores = np.empty(rows.shape[0], dtype=np.float32)
    # Sums of products below 2^53 are exact in float64, and NumPy multiplies floats far faster than integers.
    integers = coarse.high[0].astype(np.float64)
    for start in range(0, rows.shape[0], ROWS_AT_A_TIME):
        dots = rows.high[start : start + ROWS_AT_A_TIME].astype(np.float64) @ integers
        with np.errstate(invalid="ignore", over="ignore"):
            scaled = dots.astype(np.float32) * rows.scale[start : start + ROWS_AT_A_TIME]
            scores[start : start + ROWS_AT_A_TIME] = scaled * coarse.scale[0]
    return scores


def scan_i8(rows: QuantisedRows, queries: NDArray[np.float32], k: int, allowed: Allowed) -> Ranking:
    """Return scores and rows, [q, k], for queries [q, d]."""
    scores = np.empty((queries.shape[0], k), dtype=np.float32)
    numbers = np.empty((queries.shape[0], k), dtype=np.int64)
    for i, query in enumerate(queries):
        scores[i], numbers[i] = select_topk(score_i8(rows, query), k, allowed)
    return scores, numbers
