"""Float rows to two int8 planes and a scale a row.

The scale is symmetric: scale = max|x| / 127 and t = x / scale lies in [-127, 127]. `high` is t rounded to an integer,
`low` is what rounding lost, in 1/254ths: the loss is at most a half, so `low` fits in a byte. Together they keep
about 15 bits. All in float32, halves to even, and the maximum is exact, so the order of the loop does not matter.

Two cases need a rule. A row that holds a NaN or an infinity gets planes of zeros and the scale NaN: its scores are NaN
and no scan finds it. A row whose scale would be below 2^-100 counts as zero: in a greater one, a subnormal element is
nothing, so that a thread which flushes subnormals to zero (torch can switch that on) writes the same bytes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from satchel.kernels.arrays import QuantisedRows

HIGH_LEVELS = np.float32(127)
LOW_LEVELS = np.float32(254)
SMALLEST_SCALE = np.float32(2.0**-100)


def row_scales(rows: NDArray[np.float32], levels: np.float32 = HIGH_LEVELS) -> NDArray[np.float32]:
    """Return max|x| / levels for each row of float32 [n, d]: 0 where that is tiny, NaN where not finite."""
    largest = np.max(np.abs(rows), axis=1)
    scales: NDArray[np.float32] = largest / levels
    scales[scales < SMALLEST_SCALE] = 0
    scales[~np.isfinite(largest)] = np.nan
    return scales


def quantise(rows: NDArray[np.float32]) -> QuantisedRows:
    """Return the planes of float32 [n, d]."""
    scales = row_scales(rows)
    usable = scales > 0
    # Where the scale is 0 or NaN the planes are 0: divide zeros by one.
    t = np.where(usable[:, None], rows, np.float32(0)) / np.where(usable, scales, np.float32(1))[:, None]
    high = np.rint(t)
    low = np.rint((t - high) * LOW_LEVELS)
    return QuantisedRows(high=high.astype(np.int8), low=low.astype(np.int8), scale=scales)
