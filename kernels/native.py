"""A backend of the compiled library."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satchel.kernels import library
from satchel.kernels.arrays import BitRows, Postings, QuantisedRows, bit_shape
from satchel.kernels.backend import Allowed, Bm25Weights, Ranking
from satchel.kernels.reference.bm25 import weigh_terms

ROWS_A_THREAD = 1 << 19
"""A scan of fewer than two of these runs on the caller's thread: waking a second one costs more than it saves."""
MAX_THREADS = 8


class NativeBackend:
    """One of the library's backends; the arrays' addresses are handed over, nothing is copied."""

    def __init__(self, loaded: ctypes.CDLL, handle: int, name: str, threads: int | None = None) -> None:
        self.name = name
        self._library = loaded
        self._handle = handle
        self._threads = min(threads or _processors(), MAX_THREADS)

    def quantise(self, rows: NDArray[np.float32]) -> QuantisedRows:
        """See `Backend`."""
        n, d = rows.shape
        high, low, scale = np.empty((n, d), np.int8), np.empty((n, d), np.int8), np.empty(n, np.float32)
        self.quantise_into(rows.ctypes.data, n, d, (high.ctypes.data, low.ctypes.data, scale.ctypes.data))
        return QuantisedRows(high=high, low=low, scale=scale)

    def quantise_into(self, rows: int, count: int, dimension: int, planes: Sequence[int]) -> None:
        """Quantise between addresses; the benchmark times this apart from making the arrays."""
        self._library.sk_quantise(self._handle, rows, count, dimension, *planes)

    def derive_bits(self, rows: QuantisedRows) -> BitRows:
        """See `Backend`."""
        n, d = rows.shape
        derived = BitRows(
            bits=np.empty(bit_shape(n, d), np.uint64), factors=np.empty(n, np.float32), centre=np.empty(d, np.float32)
        )
        both = QuantisedRows(high=rows.high, low=rows.low, scale=rows.scale, bits=derived)
        _check(self._library.sk_derive_bits(self._handle, both.record))
        return derived

    def scan_i8(self, rows: QuantisedRows, queries: NDArray[np.float32], k: int, allowed: Allowed) -> Ranking:
        """See `Backend`."""
        return self._search(rows, queries, k, allowed, candidates=0, scan=library.SCAN_I8)

    def scan_bits(self, rows: BitRows, queries: NDArray[np.float32], k: int, allowed: Allowed) -> Ranking:
        """See `Backend`."""
        return self._search(rows, queries, k, allowed, candidates=0, scan=library.SCAN_BITS)

    def search(
        self, rows: QuantisedRows, queries: NDArray[np.float32], k: int, allowed: Allowed, candidates: int
    ) -> Ranking:
        """See `Backend`."""
        scan = library.SCAN_I8 if rows.bits is None else library.SCAN_BITS
        return self._search(rows, queries, k, allowed, candidates=candidates, scan=scan)

    def rescore(
        self, rows: QuantisedRows, queries: NDArray[np.float32], candidates: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """See `Backend`."""
        scores = np.empty(candidates.shape, np.float32)
        _check(
            self._library.sk_rescore(
                self._handle,
                rows.record,
                queries.ctypes.data,
                candidates.shape[0],
                candidates.ctypes.data,
                candidates.shape[1],
                scores.ctypes.data,
            )
        )
        return scores

    def bm25_topk(
        self, postings: Postings, terms: NDArray[np.int64], weights: Bm25Weights, k: int, allowed: Allowed
    ) -> Ranking:
        """See `Backend`."""
        scores, numbers = np.empty(k, np.float32), np.empty(k, np.int64)
        call = library.BM25.pack(
            _address(terms) if len(terms) else 0,
            len(terms),
            weights.floor,
            weights.slope,
            k,
            0 if allowed is None else allowed.ctypes.data,
            _address(scores),
            _address(numbers),
        )
        status = self._library.sk_bm25(self._handle, postings.record, call)
        if status == library.WRONG_TERM:
            weigh_terms(postings, terms)  # raises, with the term's number
        _check(status)
        return scores, numbers

    def _search(
        self,
        rows: QuantisedRows | BitRows,
        queries: NDArray[np.float32],
        k: int,
        allowed: Allowed,
        *,
        candidates: int,
        scan: int,
    ) -> Ranking:
        count = queries.shape[0]
        scores = np.empty((count, k), np.float32)
        numbers = np.empty((count, k), np.int64)
        if not count:
            return scores, numbers
        call = library.SEARCH.pack(
            _address(queries),
            count,
            k,
            candidates,
            0 if allowed is None else allowed.ctypes.data,
            _address(scores),
            _address(numbers),
            scan,
            max(1, min(self._threads, rows.shape[0] // ROWS_A_THREAD)),
        )
        _check(self._library.sk_search(self._handle, rows.record, call))
        return scores, numbers


def _address(array: Any) -> int:  # NumPy's stubs do not declare the buffer protocol below Python 3.12
    """Return where a writable array that is not empty lies: six times as fast as `array.ctypes.data`."""
    return ctypes.addressof(ctypes.c_char.from_buffer(array))


def _check(status: int) -> None:
    if status != 0:
        raise MemoryError("kernels: no memory for a search's scratch space")


def _processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
