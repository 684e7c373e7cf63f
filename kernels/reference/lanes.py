"""Sums of float32 in one fixed order, so that every backend gives the same bytes.

Sixteen lanes, the width of an AVX-512 register: element i is added to lane i % 16, in rising order of i; then the upper
half of the lanes is added to the lower half, four times.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LANES = 16


def lane_sum(terms: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the sums over the last axis of float32 [..., d]."""
    lanes = np.zeros((*terms.shape[:-1], LANES), dtype=np.float32)
    for start in range(0, terms.shape[-1], LANES):
        group = terms[..., start : start + LANES]
        lanes[..., : group.shape[-1]] += group
    width = LANES
    while width > 1:
        width //= 2
        lanes = lanes[..., :width] + lanes[..., width : 2 * width]
    total: NDArray[np.float32] = lanes[..., 0]
    return total
