"""The operations of search. Arrays are read in place; after its arguments are checked, a function holds no GIL.

A ranking is (scores float32, row numbers int64): score falling, equal scores by rising row number, row -1 and score
-inf where fewer rows were found than asked for. A row whose score is NaN or -inf is never found, nor is anything by a
query that is not finite. `allowed` limits a scan to some rows: bool [n], or the same as bits, uint8 [ceil(n / 8)] in
little bit order. `backend` names one (see `dispatch.explain()`); else the fastest that this machine has is taken.

Raises, all of them: TypeError or ValueError for arrays of the wrong type, shape, order or size, with the argument's
name; `errors.BackendUnavailableError` for a named backend that is not there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satchel.kernels import dispatch
from satchel.kernels.arrays import BitRows, Postings, QuantisedRows, check_array, check_limits
from satchel.kernels.backend import Allowed, Bm25Weights, Ranking

__all__ = [
    "BitRows",
    "Postings",
    "QuantisedRows",
    "bm25_topk",
    "candidates_for",
    "derive_bits",
    "quantise",
    "rescore",
    "scan_bits",
    "scan_i8",
    "search",
]


def quantise(rows: NDArray[Any], *, backend: str | None = None) -> QuantisedRows:
    """Return the two planes and scales of float rows, [n, d]; the same bytes on every backend.

    scale = max|x| / 127, t = x / scale, high = rint(t), low = rint((t - high) x 254), in float32, halves to even.
    Nothing is normalised. A zero row has scale 0 (as has one whose scale would be subnormal); a row that holds a NaN or
    an infinity has planes of 0 and the scale NaN, and is never found.
    """
    if not isinstance(rows, np.ndarray) or rows.dtype.kind != "f":
        raise TypeError(f"rows: {getattr(rows, 'dtype', type(rows).__name__)}, expected a NumPy array of floats")
    check_array("rows", rows, rows.dtype, 2)
    check_limits(rows.shape[0], rows.shape[1])
    return dispatch.choose(backend).quantise(np.ascontiguousarray(rows, dtype=np.float32))


def derive_bits(
    high: NDArray[np.int8], low: NDArray[np.int8], scale: NDArray[np.float32], *, backend: str | None = None
) -> BitRows:
    """Return the 1-bit rows of both planes, for `QuantisedRows(..., bits=...)`; the same bytes on every backend.

    They are derived, so they belong in a cache, not in a pack: 1/16 of the planes' size, plus 4 bytes a row.
    """
    return dispatch.choose(backend).derive_bits(QuantisedRows(high=high, low=low, scale=scale))


def search(
    rows: QuantisedRows,
    queries: NDArray[np.float32],
    k: int,
    *,
    allowed: NDArray[Any] | None = None,
    rescore: int | None = None,
    backend: str | None = None,
) -> Ranking:
    """Return the k best rows for each query, [q, k]; queries float32 [q, d] or [d].

    Scans `rows.bits` where they are given, and the high plane otherwise, then scores candidates again from both planes
    against the float query. A bit scan hands on `rescore` candidates, if none is given `candidates_for` so many rows;
    the high plane is so close to the truth that min(rescore, 4 k) of it are enough.
    """
    lines = _check_queries(queries, rows.shape[1])
    handed_on = candidates_for(rows.shape[0], k) if rescore is None else rescore
    count = handed_on if rows.bits is not None else min(handed_on, 4 * k)
    candidates = max(_check_k(k), min(count, rows.shape[0]))
    return dispatch.choose(backend).search(rows, lines, k, _check_allowed(allowed, rows.shape[0]), candidates)


def candidates_for(rows: int, k: int = 10) -> int:
    """Return how many candidates of a bit scan to score again so that recall@10 stays above .99 in so many rows.

    Measured on MiniLM's vectors and mixtures of them (`tests/bench/kernels/vectors.py`): with 300 in 100,000 and twice
    that in a million it is .990 to .997 in 384 and 1024 dimensions. To find more than fifty rows well, 4 k.
    """
    return max(200, 4 * k, math.ceil(300 * math.pow(rows / 100_000, 0.3)))


def scan_i8(
    high: NDArray[np.int8],
    scale: NDArray[np.float32],
    queries: NDArray[np.float32],
    k: int,
    *,
    allowed: NDArray[Any] | None = None,
    backend: str | None = None,
) -> Ranking:
    """Return the k rows of the high plane nearest to each query, [q, k]; the query is cut to 8 bits as well."""
    rows = QuantisedRows(high=high, low=high, scale=scale)
    lines = _check_queries(queries, rows.shape[1])
    return dispatch.choose(backend).scan_i8(rows, lines, _check_k(k), _check_allowed(allowed, rows.shape[0]))


def scan_bits(
    bits: NDArray[np.uint64],
    factors: NDArray[np.float32],
    centre: NDArray[np.float32],
    queries: NDArray[np.float32],
    k: int,
    *,
    allowed: NDArray[Any] | None = None,
    backend: str | None = None,
) -> Ranking:
    """Return the k 1-bit rows with the highest estimated score, [q, k]; the query is cut to 4 bits."""
    rows = BitRows(bits=bits, factors=factors, centre=centre)
    lines = _check_queries(queries, rows.shape[1])
    return dispatch.choose(backend).scan_bits(rows, lines, _check_k(k), _check_allowed(allowed, rows.shape[0]))


def rescore(
    high: NDArray[np.int8],
    low: NDArray[np.int8],
    scale: NDArray[np.float32],
    queries: NDArray[np.float32],
    candidates: NDArray[np.int64],
    *,
    backend: str | None = None,
) -> NDArray[np.float32]:
    """Return the scores of candidates int64 [q, m] (or [m] with one query [d]) in the same shape.

    Both planes against the float query, in float32; -inf for a candidate that is no row number (as -1 is).
    """
    rows = QuantisedRows(high=high, low=low, scale=scale)
    lines = _check_queries(queries, rows.shape[1])
    check_array("candidates", candidates, np.int64, queries.ndim)
    numbers = candidates.reshape(-1, candidates.shape[-1])
    if numbers.shape[0] != lines.shape[0]:
        raise ValueError(f"candidates: {numbers.shape[0]} lines for {lines.shape[0]} queries")
    return dispatch.choose(backend).rescore(rows, lines, numbers).reshape(candidates.shape)


def bm25_topk(
    postings: Postings,
    terms: Sequence[int] | NDArray[Any],
    k: int,
    *,
    k1: float = 1.2,
    b: float = 0.75,
    allowed: NDArray[Any] | None = None,
    backend: str | None = None,
) -> Ranking:
    """Return the k passages with the highest BM25 for one query, [k]; passages without any of its terms are not found.

    `terms` are term numbers; one that comes twice counts twice. A passage of length l that holds a term c times gets
    idf x c / (c + k1 (1 - b + b l / average length)), idf = ln(1 + (n - df + 0.5) / (df + 0.5)), as in Lucene.
    """
    if not (k1 >= 0 and 0 <= b <= 1 and math.isfinite(k1)):
        raise ValueError(f"k1 {k1} and b {b}: expected k1 >= 0 and 0 <= b <= 1")
    numbers = np.array(terms, dtype=np.int64, ndmin=1)
    slope = k1 * b / postings.average_length if postings.average_length else 0.0
    weights = Bm25Weights(floor=k1 * (1 - b), slope=slope)
    filtered = _check_allowed(allowed, len(postings.lengths))
    return dispatch.choose(backend).bm25_topk(postings, numbers, weights, _check_k(k), filtered)


def _check_k(k: int) -> int:
    if k < 1:
        raise ValueError(f"k: {k}, expected at least 1")
    return k


def _check_queries(queries: ArrayLike, dimension: int) -> NDArray[np.float32]:
    """Return a copy, [q, dimension]: small, and in memory of its own whatever the caller does meanwhile."""
    lines = np.array(queries, dtype=np.float32, order="C", ndmin=2)
    if lines.shape[1:] != (dimension,):
        raise ValueError(f"queries: shape {np.shape(queries)}, expected [q, {dimension}] or [{dimension}]")
    return lines


def _check_allowed(allowed: NDArray[Any] | None, rows: int) -> Allowed:
    if allowed is None:
        return None
    if allowed.dtype == np.bool_ and allowed.shape == (rows,):
        return np.packbits(allowed, bitorder="little")
    if allowed.dtype == np.uint8 and allowed.shape == (-(-rows // 8),):
        return np.ascontiguousarray(allowed)
    raise ValueError(f"allowed: {allowed.dtype} {allowed.shape}, expected bool ({rows},) or uint8 ({-(-rows // 8)},)")
