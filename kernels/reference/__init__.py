"""The NumPy reference: explains each operation, checks the others, and serves where nothing could be compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from satchel.kernels.arrays import BitRows, Postings, QuantisedRows
from satchel.kernels.backend import Allowed, Bm25Weights, Ranking
from satchel.kernels.reference.bits import derive_bits, scan_bits
from satchel.kernels.reference.bm25 import bm25_topk
from satchel.kernels.reference.quantise import quantise
from satchel.kernels.reference.rescore import rescore
from satchel.kernels.reference.scan_i8 import scan_i8
from satchel.kernels.reference.selection import select_topk


class NumpyBackend:
    """The reference, as a backend."""

    name = "numpy"

    def quantise(self, rows: NDArray[np.float32]) -> QuantisedRows:
        """See `Backend`."""
        return quantise(rows)

    def derive_bits(self, rows: QuantisedRows) -> BitRows:
        """See `Backend`."""
        return derive_bits(rows)

    def scan_i8(self, rows: QuantisedRows, queries: NDArray[np.float32], k: int, allowed: Allowed) -> Ranking:
        """See `Backend`."""
        return scan_i8(rows, queries, k, allowed)

    def scan_bits(self, rows: BitRows, queries: NDArray[np.float32], k: int, allowed: Allowed) -> Ranking:
        """See `Backend`."""
        return scan_bits(rows, queries, k, allowed)

    def rescore(
        self, rows: QuantisedRows, queries: NDArray[np.float32], candidates: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """See `Backend`."""
        return rescore(rows, queries, candidates)

    def search(
        self, rows: QuantisedRows, queries: NDArray[np.float32], k: int, allowed: Allowed, candidates: int
    ) -> Ranking:
        """See `Backend`."""
        if rows.bits is None:
            _, numbers = scan_i8(rows, queries, candidates, allowed)
        else:
            _, numbers = scan_bits(rows.bits, queries, candidates, allowed)
        exact = rescore(rows, queries, numbers)
        best = [select_topk(line, k, None, names) for line, names in zip(exact, numbers, strict=True)]
        scores = np.array([scores for scores, _ in best], dtype=np.float32).reshape(-1, k)
        return scores, np.array([names for _, names in best], dtype=np.int64).reshape(-1, k)

    def bm25_topk(
        self, postings: Postings, terms: NDArray[np.int64], weights: Bm25Weights, k: int, allowed: Allowed
    ) -> Ranking:
        """See `Backend`."""
        return bm25_topk(postings, terms, weights, k, allowed)
