"""Scores of candidates from both planes against the float query.

254 x high + low is an integer of 16 bits, exact in float32; one multiplication by scale / 254 turns the sum into
the score. The sum runs in the fixed order of `lanes`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from satchel.kernels.arrays import QuantisedRows
from satchel.kernels.reference.lanes import lane_sum
from satchel.kernels.reference.quantise import LOW_LEVELS


def both_planes(rows: QuantisedRows, numbers: NDArray[np.int64] | slice) -> NDArray[np.float32]:
    """Return 254 x high + low of the named rows, float32 [m, d], integers."""
    joined = np.int32(LOW_LEVELS) * rows.high[numbers].astype(np.int32) + rows.low[numbers]
    return joined.astype(np.float32)


def rescore(rows: QuantisedRows, queries: NDArray[np.float32], candidates: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return float32 [q, m] for queries [q, d] and candidates [q, m]; -inf where the candidate is no row (-1)."""
    scores = np.full(candidates.shape, -np.inf, dtype=np.float32)
    for query, numbers, line in zip(queries, candidates, scores, strict=True):
        real = np.flatnonzero((numbers >= 0) & (numbers < rows.shape[0]))
        with np.errstate(invalid="ignore", over="ignore"):
            sums = lane_sum(both_planes(rows, numbers[real]) * query)
            line[real] = sums * (rows.scale[numbers[real]] / LOW_LEVELS)
    return scores
