"""What every backend can do. Arguments arrive checked by `ops`: contiguous, of the right types and sizes."""

from __future__ import annotations

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
class Bm25Weights:
    """How a term's count and a passage's length make a score.

    A passage of `length` terms that holds a term `count` times gets idf x repeats x (count / (count + (floor + slope x
    length))), where `repeats` is how often the query has the term; each operation is rounded to float32. The sum over
    terms runs by falling idf x repeats, equal ones by term number, so that pruning and full evaluation sum alike.
    """

    floor: float
    """k1 (1 - b)."""
    slope: float
    """k1 b / mean length."""


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

    def bm25_topk(
        self, postings: Postings, terms: NDArray[np.int64], weights: Bm25Weights, k: int, allowed: Allowed
    ) -> Ranking:
        """See `ops.bm25_topk`; rank of one query, [k]. Terms are not checked yet: ValueError names a wrong one."""
