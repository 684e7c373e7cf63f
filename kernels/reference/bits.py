"""One bit a dimension: RaBitQ (SIGMOD 2024) without its rotation.

With r = row - centre and s = sign(r), the dot product <r, q> is estimated by <s, q> x |r|² / |r|₁: exact along r's own
direction, unbiased across it when the signs are as random as embedding vectors' are. The factor is kept for each
row, and <centre, q> is added once a query.

The query is cut to 4 bits: q is about step x w with odd integers w in -15..15. In binary, w is a sum of ±1, ±2, ±4
and ±8, so <s, w> = 15 d - 2 (1 p0 + 2 p1 + 4 p2 + 8 p3), where pj counts the bits in which row and plane j differ:
four exclusive-ors and population counts a word, and no sum over the row's own bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from satchel.kernels.arrays import BLOCK_ROWS, BitRows, QuantisedRows, bit_shape
from satchel.kernels.backend import Allowed, Ranking
from satchel.kernels.reference.lanes import lane_sum
from satchel.kernels.reference.quantise import LOW_LEVELS, row_scales
from satchel.kernels.reference.rescore import both_planes
from satchel.kernels.reference.selection import select_topk

QUERY_LEVELS = np.float32(15)
ROWS_AT_A_TIME = 8192


@dataclass(frozen=True, slots=True)
class BitQuery:
    """A query in 4 bits: q is about step x levels."""

    levels: NDArray[np.float32]
    """Odd integers from -15 to 15, [d]."""
    step: np.float32
    """0 for a query of zeros, NaN for one that is not finite."""
    offset: np.float32
    """<centre, query>."""


def values(rows: QuantisedRows, part: slice) -> NDArray[np.float32]:
    """Return the rows' values in float32, zero where the scale is not finite."""
    unit = rows.scale[part] / LOW_LEVELS
    unit = np.where(np.isfinite(unit), unit, np.float32(0))
    return both_planes(rows, part) * unit[:, None]


def mean_row(rows: QuantisedRows) -> NDArray[np.float32]:
    """Return the mean of the finite rows: summed in float64, row after row, then rounded once."""
    total = np.zeros(rows.shape[1], dtype=np.float64)
    for start in range(0, rows.shape[0], ROWS_AT_A_TIME):
        chunk = values(rows, slice(start, start + ROWS_AT_A_TIME)).astype(np.float64)
        total = np.add.accumulate(np.vstack([total, chunk]), axis=0)[-1]
    count = int(np.count_nonzero(np.isfinite(rows.scale)))
    mean: NDArray[np.float32] = (total / max(1, count)).astype(np.float32)
    return mean


def derive_bits(rows: QuantisedRows) -> BitRows:
    """Return signs, factors and centre of the planes."""
    n, d = rows.shape
    centre = mean_row(rows)
    blocks, words, _ = bit_shape(n, d)
    bits = np.zeros((blocks * BLOCK_ROWS, words), dtype=np.uint64)
    factors = np.zeros(n, dtype=np.float32)
    for start in range(0, n, ROWS_AT_A_TIME):
        part = slice(start, min(n, start + ROWS_AT_A_TIME))
        residual = values(rows, part) - centre
        squares, magnitudes = lane_sum(residual * residual), lane_sum(np.abs(residual))
        factors[part] = np.where(magnitudes > 0, squares / np.where(magnitudes > 0, magnitudes, 1), 0)
        packed = np.zeros((residual.shape[0], words * 8), dtype=np.uint8)
        packed[:, : -(-d // 8)] = np.packbits(residual >= 0, axis=1, bitorder="little")
        bits[part] = packed.view("<u8")
    unusable = ~np.isfinite(rows.scale)
    factors[unusable] = np.nan
    bits[:n][unusable] = 0
    word_major = bits.reshape(blocks, BLOCK_ROWS, words).transpose(0, 2, 1)
    return BitRows(bits=np.ascontiguousarray(word_major), factors=factors, centre=centre)


def cut_query(query: NDArray[np.float32], centre: NDArray[np.float32]) -> BitQuery:
    """Return the 4-bit query of float32 [d]."""
    step = row_scales(query[None, :], QUERY_LEVELS)[0]
    usable = step > 0
    t = (query if usable else np.zeros_like(query)) / (step if usable else np.float32(1))
    nearest = np.rint((t + QUERY_LEVELS) * np.float32(0.5))
    with np.errstate(invalid="ignore", over="ignore"):
        # In float64 and in order, like the C, so that the offset is the same.
        offset = np.float32(np.add.accumulate(centre.astype(np.float64) * query.astype(np.float64))[-1])
    levels = np.float32(2) * np.clip(nearest, 0, QUERY_LEVELS) - QUERY_LEVELS
    return BitQuery(levels=levels, step=step, offset=offset)


def score_bits(rows: BitRows, query: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the estimated score of every row, float32 [n]."""
    n, d = rows.shape
    cut = cut_query(query, rows.centre)
    scores = np.empty(n, dtype=np.float32)
    blocks = ROWS_AT_A_TIME // BLOCK_ROWS
    for first in range(0, rows.bits.shape[0], blocks):
        row_major = np.ascontiguousarray(rows.bits[first : first + blocks].transpose(0, 2, 1), dtype="<u8")
        part = slice(first * BLOCK_ROWS, min(n, (first + blocks) * BLOCK_ROWS))
        octets = row_major.reshape(-1, row_major.shape[2]).view(np.uint8)[: part.stop - part.start]
        signs = np.unpackbits(octets, axis=1, count=d, bitorder="little").astype(np.float32) * 2 - 1
        agreement = signs @ cut.levels
        with np.errstate(invalid="ignore", over="ignore"):
            scores[part] = (rows.factors[part] * agreement) * cut.step + cut.offset
    return scores


def scan_bits(rows: BitRows, queries: NDArray[np.float32], k: int, allowed: Allowed) -> Ranking:
    """Return estimated scores and rows, [q, k], for queries [q, d]."""
    scores = np.empty((queries.shape[0], k), dtype=np.float32)
    numbers = np.empty((queries.shape[0], k), dtype=np.int64)
    for i, query in enumerate(queries):
        scores[i], numbers[i] = select_topk(score_bits(rows, query), k, allowed)
    return scores, numbers
