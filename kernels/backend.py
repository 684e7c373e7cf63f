"""What every backend can do. Arguments arrive checked by `ops`: contiguous, of the right types and sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from satchel.kernels.arrays import BitRows, Postings, QuantisedRows

Ranking: TypeAlias = tuple[NDArray[np.float32], NDArray[np.int64]]
"""Scores and row numbers, best first, equal scores by rising row number; row -1 and score -inf fill what is missing."""

Allowed: TypeAlias = NDArray[np.uint8] | None
"""Bitmap of rows that may be found, uint8 [ceil(n / 8)], bit `row % 8` of byte `row // 8`; None allows all."""


@dataclass(frozen=True, slots=True)
class QueryTerm:
    """One distinct term of a keyword query."""

    start: int
    end: int
    """Its postings."""
    weight: np.float32
    """Inverse document frequency times how often the query has the term; > 0."""


@dataclass(frozen=True, slots=True)
class KeywordQuery:
    """A keyword query, ready for the inner loop.

    A passage of `length` terms that holds a term `count` times scores weight x (count / (count + (floor + slope x
    length))), each operation rounded to float32; the sum over terms runs in the order of `terms`.
    """

    terms: Sequence[QueryTerm]
    """Weight falling, so that pruning and full evaluation sum in the same order; equal weights by term number."""
    floor: np.float32
    slope: np.float32


class Backend(Protocol):
    """One implementation of every operation. All give the same bytes; they differ in speed."""

    @property
    def name(self) -> str:
        """What `backend=` and `SATCHEL_KERNELS` call it."""

    def quantise(self, rows: NDArray[np.float32]) -> QuantisedRows:
        """See `ops.quantise`; rows float32 [n, d]."""

    def derive_bits(self, rows: QuantisedRows) -> BitRows:
        """See `ops.derive_bits`."""

    def scan_i8(self, rows: QuantisedRows, queries: NDArray[np.float32], k: int, allowed: Allowed) -> Ranking:
        """See `ops.scan_i8`; queries float32 [q, d]."""

    def scan_bits(self, rows: BitRows, queries: NDArray[np.float32], k: int, allowed: Allowed) -> Ranking:
        """See `ops.scan_bits`; queries float32 [q, d]."""

    def rescore(
        self, rows: QuantisedRows, queries: NDArray[np.float32], candidates: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """See `ops.rescore`; candidates int64 [q, m]."""

    def search(
        self, rows: QuantisedRows, queries: NDArray[np.float32], k: int, allowed: Allowed, candidates: int
    ) -> Ranking:
        """Scan for `candidates` rows a query, score them again from both planes, keep the best k."""

    def bm25_topk(self, postings: Postings, query: KeywordQuery, k: int, allowed: Allowed) -> Ranking:
        """See `ops.bm25_topk`; rank of one query, [k]."""
