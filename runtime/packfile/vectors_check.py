"""The vectors' part of the check: finite scales, planes within their range, unit length."""

from __future__ import annotations

import numpy as np

from satchel.runtime.packfile import names
from satchel.runtime.packfile.array_reader import ArrayReader
from satchel.runtime.packfile.errors import DamagedPackError
from satchel.runtime.packfile.pack import Pack
from satchel.runtime.progress import SILENT, Progress

_PIECE_BYTES = 1 << 20
_LOWEST = -127
"""-128 is never written: scale = max|x| / 127."""
_UNIT_TOLERANCE = 0.01
"""Two planes keep 15 bits, so a unit vector's length is off by some 1e-4 at most."""


def check_vectors(pack: Pack, progress: Progress = SILENT) -> None:
    """Check the three arrays row by row; their shapes agree already.

    Raises:
        DamagedPackError: names the entry and row.
    """
    high, low = ArrayReader(pack, names.VECTORS_HIGH), ArrayReader(pack, names.VECTORS_LOW)
    scale = ArrayReader(pack, names.VECTORS_SCALE)
    step = max(1, _PIECE_BYTES // high.row_bytes)
    for start, high_rows in high.pieces(step):
        progress("checking the vectors", start, len(high))
        low_rows, scales = low.rows(start, start + step), scale.rows(start, start + step)
        for name, rows in ((names.VECTORS_HIGH, high_rows), (names.VECTORS_LOW, low_rows)):
            _refuse(pack, name, start, rows.min(axis=1) < _LOWEST, "holds -128")
        _refuse(pack, names.VECTORS_SCALE, start, ~(np.isfinite(scales) & (scales >= 0)), "is not finite, or negative")
        values = high_rows + low_rows / np.float32(254)
        lengths = scales.astype(np.float64) * np.sqrt(np.einsum("nd,nd->n", values, values, dtype=np.float64))
        wrong = (np.abs(lengths - 1) > _UNIT_TOLERANCE) & (scales != 0)
        wrong |= (scales == 0) & (high_rows.any(axis=1) | low_rows.any(axis=1))
        _refuse(pack, names.VECTORS_SCALE, start, wrong, "does not give a unit vector")


def _refuse(pack: Pack, name: str, start: int, wrong: np.ndarray[tuple[int], np.dtype[np.bool_]], reason: str) -> None:
    if wrong.any():
        row = start + int(wrong.argmax())
        raise DamagedPackError(path=pack.path, reason=f"{name}: row {row} {reason}")
