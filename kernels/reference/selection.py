"""Top-k: score falling, then row number rising."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from satchel.kernels.backend import Allowed, Ranking

WORST = np.float32(-np.inf)
NO_ROW = -1


def select_topk(
    scores: NDArray[np.float32], k: int, allowed: Allowed, rows: NDArray[np.int64] | None = None
) -> Ranking:
    """Return the best k of `scores`, float32 [n], as [k]; `rows` names them where they are not 0..n-1.

    A score of NaN or -inf is never found. -0.0 counts and comes back as 0.0.
    """
    found = scores > WORST
    if allowed is not None:
        found &= np.unpackbits(allowed, count=scores.shape[0], bitorder="little").astype(bool)
    places = np.flatnonzero(found)
    scores = scores[places] + np.float32(0)
    numbers = places if rows is None else rows[places]
    if k < scores.shape[0]:
        # Partition first: sorting a million scores for ten of them costs a second.
        kth_best = np.partition(scores, scores.shape[0] - k)[scores.shape[0] - k]
        kept = np.flatnonzero(scores >= kth_best)
        scores, numbers = scores[kept], numbers[kept]
    order = np.lexsort((numbers, -scores))[:k]
    best_scores = np.full(k, WORST, dtype=np.float32)
    best_rows = np.full(k, NO_ROW, dtype=np.int64)
    best_scores[: order.shape[0]] = scores[order]
    best_rows[: order.shape[0]] = numbers[order]
    return best_scores, best_rows
