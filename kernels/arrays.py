"""The arrays that the kernels read: layouts, types and limits. Nothing is copied; memory maps are welcome."""

from __future__ import annotations

import functools
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_DIMENSION = 4096
MAX_ROWS = 2**32 - 64
"""Row numbers are 32 bits inside a scan (64 at its face); a few spare ones keep block arithmetic from wrapping."""
BLOCK_ROWS = 8
"""Rows in a block of 1-bit rows: one 512-bit load holds the same word of eight rows."""
WORD_BITS = 64
_ROWS_RECORD = struct.Struct("=8q")
"""struct sk_rows of c/kernels.h: six addresses, then rows and dimensions."""
_POSTINGS_RECORD = struct.Struct("=7q")
"""struct sk_postings of c/api.h: four addresses, then terms, postings and passages."""


@dataclass(frozen=True, slots=True, eq=False)
class BitRows:
    """One bit a dimension, derived from the planes; made by `ops.derive_bits`.

    `bits`: uint64 [ceil(n / 8), ceil(d / 64), 8], bit `i % 64` of `bits[row // 8, i // 64, row % 8]` is dimension `i`
    of `row`; bits beyond n and d are 0. `factors`: float32 [n], |r|² / |r|₁ of the residual r = row - centre, NaN for
    a row that is not finite. `centre`: float32 [d], the mean row.
    """

    bits: NDArray[np.uint64]
    factors: NDArray[np.float32]
    centre: NDArray[np.float32]
    record: bytes = field(init=False, repr=False)
    """The addresses as the compiled library reads them: asking NumPy for them takes as long as a small scan."""

    def __post_init__(self) -> None:
        check_array("factors", self.factors, np.float32, 1)
        check_array("centre", self.centre, np.float32, 1)
        check_array("bits", self.bits, np.uint64, 3)
        check_limits(*self.shape)
        expected = bit_shape(*self.shape)
        if self.bits.shape != expected:
            raise ValueError(f"bits: shape {self.bits.shape}, expected {expected} for (rows, dimensions) {self.shape}")
        object.__setattr__(self, "record", _ROWS_RECORD.pack(0, 0, 0, *self.addresses, *self.shape))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and dimensions."""
        return self.factors.shape[0], self.centre.shape[0]

    @property
    def addresses(self) -> tuple[int, int, int]:
        """Where bits, factors and centre lie in memory."""
        return self.bits.ctypes.data, self.factors.ctypes.data, self.centre.ctypes.data


@dataclass(frozen=True, slots=True, eq=False)
class QuantisedRows:
    """Rows in two 8-bit planes: value = scale x (high + low / 254). Made by `ops.quantise`, kept in packs.

    `high`, `low`: int8 [n, d]. `scale`: float32 [n]; 0 for a zero row, NaN for a row that held a NaN or an infinity
    (no search ever finds it). `bits`, where given, makes `ops.search` scan them instead of the high plane.
    """

    high: NDArray[np.int8]
    low: NDArray[np.int8]
    scale: NDArray[np.float32]
    bits: BitRows | None = None
    record: bytes = field(init=False, repr=False)
    """See `BitRows.record`."""

    def __post_init__(self) -> None:
        check_array("high", self.high, np.int8, 2)
        check_array("low", self.low, np.int8, 2)
        check_array("scale", self.scale, np.float32, 1)
        check_limits(*self.shape)
        if self.low.shape != self.high.shape or self.scale.shape[0] != self.high.shape[0]:
            raise ValueError(f"shapes differ: high {self.high.shape}, low {self.low.shape}, scale {self.scale.shape}")
        if self.bits is not None and self.bits.shape != self.shape:
            raise ValueError(f"bits are of {self.bits.shape} rows and dimensions, the planes of {self.shape}")
        planes = self.high.ctypes.data, self.low.ctypes.data, self.scale.ctypes.data
        bits = self.bits.addresses if self.bits is not None else (0, 0, 0)
        object.__setattr__(self, "record", _ROWS_RECORD.pack(*planes, *bits, *self.shape))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and dimensions."""
        return self.high.shape[0], self.high.shape[1]


@dataclass(frozen=True, eq=False)
class Postings:
    """Term counts in compressed sparse columns, as a pack stores them.

    `offsets`: uint64 [t + 1], term t's postings are `offsets[t]:offsets[t + 1]`. `passages`: uint32 [z], rising within
    a term. `counts`: uint16 [z], saturated. `lengths`: uint32 [n], terms in each passage.
    """

    offsets: NDArray[np.uint64]
    passages: NDArray[np.uint32]
    counts: NDArray[np.uint16]
    lengths: NDArray[np.uint32]
    record: bytes = field(init=False, repr=False)
    """See `BitRows.record`."""

    def __post_init__(self) -> None:
        check_array("offsets", self.offsets, np.uint64, 1)
        check_array("passages", self.passages, np.uint32, 1)
        check_array("counts", self.counts, np.uint16, 1)
        check_array("lengths", self.lengths, np.uint32, 1)
        if self.offsets.shape[0] < 1:
            raise ValueError("offsets: empty, expected one more than there are terms")
        if self.passages.shape != self.counts.shape:
            raise ValueError(f"shapes differ: passages {self.passages.shape}, counts {self.counts.shape}")
        addresses = [array.ctypes.data for array in (self.offsets, self.passages, self.counts, self.lengths)]
        record = _POSTINGS_RECORD.pack(*addresses, self.terms, len(self.passages), len(self.lengths))
        object.__setattr__(self, "record", record)

    @property
    def terms(self) -> int:
        """The number of terms."""
        return len(self.offsets) - 1

    @functools.cached_property
    def average_length(self) -> float:
        """Mean of `lengths`, 0 without passages; summed at the first use (4 bytes a passage are read)."""
        return int(np.sum(self.lengths, dtype=np.uint64)) / max(1, len(self.lengths))


def bit_shape(rows: int, dimensions: int) -> tuple[int, int, int]:
    """Return the shape of `BitRows.bits`."""
    return -(-rows // BLOCK_ROWS), -(-dimensions // WORD_BITS), BLOCK_ROWS


def check_array(name: str, array: Any, dtype: Any, dimensions: int) -> None:
    """Refuse what the kernels would misread: another type, a gap between rows, foreign byte order."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name}: {type(array).__name__}, expected a NumPy array")
    if array.dtype != dtype:
        raise TypeError(f"{name}: {array.dtype}, expected {np.dtype(dtype)}")
    if array.ndim != dimensions:
        raise ValueError(f"{name}: {array.ndim} dimensions, expected {dimensions}")
    if not array.flags.c_contiguous:
        raise ValueError(f"{name}: not C-contiguous")


def check_limits(rows: int, dimensions: int) -> None:
    """Refuse sizes beyond what the kernels count with."""
    if not 1 <= dimensions <= MAX_DIMENSION:
        raise ValueError(f"{dimensions} dimensions, expected 1 to {MAX_DIMENSION}")
    if rows > MAX_ROWS:
        raise ValueError(f"{rows} rows, expected at most {MAX_ROWS}")
