"""Queries cut to what the scans read, one program a query. See ../reference/quantise.py and ../reference/bits.py."""

from __future__ import annotations

import triton.language as tl
from satchel.kernels.triton.compiling import jit

INFINITY_BITS = tl.constexpr(0x7F800000)
HALF_INFINITY_BITS = tl.constexpr(0x7C00)
SMALLEST_SCALE = tl.constexpr(2.0**-100)
ROUNDER = tl.constexpr(1.5 * 2.0**23)
"""Added and taken off again, it rounds to the nearest integer, halves to even: no bits are left for a fraction."""


@jit
def scale_of(values: tl.tensor, levels: tl.constexpr) -> tl.tensor:
    """Return max|x| / levels: 0 where that is tiny, NaN where a value is not finite."""
    magnitudes = values.to(tl.int32, bitcast=True) & 0x7FFFFFFF
    largest = tl.max(magnitudes, axis=0)
    scale = tl.div_rn(largest.to(tl.float32, bitcast=True), levels)
    scale = tl.where(scale < SMALLEST_SCALE, 0.0, scale)
    return tl.where(largest >= INFINITY_BITS, float("nan"), scale)


@jit
def cut_i8(
    queries: tl.tensor, levels: tl.tensor, scales: tl.tensor, dimension: tl.constexpr, padded: tl.constexpr
) -> None:
    """Write int8 levels [q, d] and float32 scales [q] of queries float32 [q, d]: value = scale x level."""
    query = tl.program_id(0)
    dims = tl.arange(0, padded)
    values = tl.load(queries + query * dimension + dims, mask=dims < dimension, other=0.0)
    scale = scale_of(values, 127.0)
    usable = scale > 0
    t = tl.div_rn(tl.where(usable, values, 0.0), tl.where(usable, scale, 1.0))
    tl.store(levels + query * dimension + dims, ((t + ROUNDER) - ROUNDER).to(tl.int8), mask=dims < dimension)
    tl.store(scales + query, scale)


@jit
def cut_f16(
    queries: tl.tensor, levels: tl.tensor, scales: tl.tensor, dimension: tl.constexpr, padded: tl.constexpr
) -> None:
    """Write the queries as float16 [q, d], and float32 [q]: 1, or NaN for a query that is not finite in float16."""
    query = tl.program_id(0)
    dims = tl.arange(0, padded)
    values = tl.load(queries + query * dimension + dims, mask=dims < dimension, other=0.0).to(tl.float16)
    largest = tl.max(values.to(tl.int16, bitcast=True) & 0x7FFF, axis=0)
    tl.store(levels + query * dimension + dims, values, mask=dims < dimension)
    tl.store(scales + query, tl.where(largest >= HALF_INFINITY_BITS, float("nan"), 1.0))


@jit
def cut_bits(
    queries: tl.tensor,
    centre: tl.tensor,
    planes: tl.tensor,
    steps: tl.tensor,
    offsets: tl.tensor,
    dimension: tl.constexpr,
    words: tl.constexpr,
    words_padded: tl.constexpr,
) -> None:
    """Write planes int64 [q, words, 4], float32 steps [q] and offsets [q] of 4-bit queries: value = step x level."""
    query = tl.program_id(0)
    dims = tl.arange(0, words_padded * 64)
    values = tl.load(queries + query * dimension + dims, mask=dims < dimension, other=0.0)
    step = scale_of(values, 15.0)
    usable = step > 0
    t = tl.div_rn(tl.where(usable, values, 0.0), tl.where(usable, step, 1.0))
    # A level is 2 x number - 15; number 8 is that of 0. Bits past the last dimension are 0, as they are in the rows.
    numbers = (((t + 15.0) * 0.5 + ROUNDER) - ROUNDER).to(tl.int64)
    numbers = tl.where(dims < dimension, numbers, 0)
    by_word = tl.reshape(numbers, (words_padded, 64))
    word = tl.arange(0, words_padded)
    bit = tl.arange(0, 64).to(tl.int64)[None, :]
    for plane in tl.static_range(4):
        gathered = tl.sum(((by_word >> plane) & 1) << bit, axis=1)
        tl.store(planes + (query * words + word) * 4 + plane, gathered, mask=word < words)
    middle = tl.load(centre + dims, mask=dims < dimension, other=0.0)
    products = middle.to(tl.float64) * values.to(tl.float64)
    tl.store(offsets + query, tl.sum(products, axis=0).to(tl.float32))
    tl.store(steps + query, step)
