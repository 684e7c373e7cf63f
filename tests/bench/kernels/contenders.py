"""Everything that searches vectors here: ours and what people use instead. Each runs in a process of its own.

A contender takes a vector set and returns a function from one query, float32 [d], to the ten best row numbers. Peers
that estimate (fast-scan indexes) rescore as many candidates as ours do, from the float vectors.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vector_sets import NEIGHBOURS, VectorSet

Search = Callable[[NDArray[np.float32]], Any]


def satchel_bits(vectors: VectorSet, candidates: int, backend: str | None = None) -> Search:
    """1-bit rows, candidates rescored from both planes."""
    from satchel.kernels import ops

    planes = ops.quantise(np.ascontiguousarray(vectors.rows))
    rows = dataclasses.replace(planes, bits=ops.derive_bits(planes.high, planes.low, planes.scale))
    return lambda query: ops.search(rows, query, NEIGHBOURS, rescore=candidates, backend=backend)[1][0]


def satchel_scan(vectors: VectorSet, _candidates: int) -> Search:
    """The scan of 1-bit rows alone, for its share of the bandwidth: its ten best are estimates."""
    from satchel.kernels import ops

    planes = ops.quantise(np.ascontiguousarray(vectors.rows))
    rows = ops.derive_bits(planes.high, planes.low, planes.scale)
    return lambda query: ops.scan_bits(rows.bits, rows.factors, rows.centre, query, NEIGHBOURS)[1][0]


def satchel_i8(vectors: VectorSet, candidates: int, backend: str | None = None) -> Search:
    """The high plane, 40 candidates rescored from both planes."""
    from satchel.kernels import ops

    planes = ops.quantise(np.ascontiguousarray(vectors.rows))
    return lambda query: ops.search(planes, query, NEIGHBOURS, rescore=candidates, backend=backend)[1][0]


def satchel_bits_avx2(vectors: VectorSet, candidates: int) -> Search:
    return satchel_bits(vectors, candidates, "avx2")


def satchel_i8_avx2(vectors: VectorSet, candidates: int) -> Search:
    return satchel_i8(vectors, candidates, "avx2")


def numpy_f32(vectors: VectorSet, _candidates: int) -> Search:
    rows = np.ascontiguousarray(vectors.rows)

    def search(query: NDArray[np.float32]) -> NDArray[np.int64]:
        scores = rows @ query
        best = np.argpartition(scores, -NEIGHBOURS)[-NEIGHBOURS:]
        return best[np.argsort(-scores[best])]

    return search


def _ask_faiss(index: Any) -> Search:
    return lambda query: index.search(query[None, :], NEIGHBOURS)[1][0]


def faiss_flat(vectors: VectorSet, _candidates: int) -> Search:
    import faiss

    index = faiss.IndexFlatIP(vectors.rows.shape[1])
    index.add(vectors.rows)
    return _ask_faiss(index)


def faiss_sq8(vectors: VectorSet, _candidates: int) -> Search:
    import faiss

    index = faiss.IndexScalarQuantizer(vectors.rows.shape[1], faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    index.train(vectors.rows)
    index.add(vectors.rows)
    return _ask_faiss(index)


def _refine_faiss(base: Any, vectors: VectorSet, candidates: int) -> Search:
    import faiss

    base.train(vectors.rows[:100_000])
    base.add(vectors.rows)
    exact = faiss.IndexFlatIP(vectors.rows.shape[1])
    exact.add(vectors.rows)
    index = faiss.IndexRefine(base, exact)
    index.k_factor = candidates / NEIGHBOURS
    search = _ask_faiss(index)
    search.keep = (base, exact, index)  # faiss holds plain pointers to them
    return search


def faiss_rabitq_fastscan(vectors: VectorSet, candidates: int) -> Search:
    import faiss

    base = faiss.IndexRaBitQFastScan(vectors.rows.shape[1], faiss.METRIC_INNER_PRODUCT)
    return _refine_faiss(base, vectors, candidates)


def faiss_pq_fastscan(vectors: VectorSet, candidates: int) -> Search:
    import faiss

    d = vectors.rows.shape[1]
    base = faiss.IndexPQFastScan(d, d // 4, 4, faiss.METRIC_INNER_PRODUCT)
    return _refine_faiss(base, vectors, candidates)


def _levels(rows: NDArray[np.float32], greatest: np.float32) -> NDArray[np.int8]:
    """Cut rows to int8 with one scale for all, as these libraries want them; some at a time, to spare memory."""
    levels = np.empty(rows.shape, np.int8)
    for start in range(0, len(rows), 65_536):
        part = slice(start, start + 65_536)
        levels[part] = np.clip(np.rint(rows[part] * 127 / greatest), -127, 127)
    return levels


def usearch_i8(vectors: VectorSet, _candidates: int) -> Search:
    from usearch.index import search as exact_search

    levels = _levels(vectors.rows, np.abs(vectors.rows).max())

    def search(query: NDArray[np.float32]) -> NDArray[np.int64]:
        coarse = np.rint(query * 127 / np.abs(query).max()).astype(np.int8)
        return exact_search(levels, coarse, NEIGHBOURS, metric="cos", exact=True, threads=1).keys

    return search


def sqlite_vec_i8(vectors: VectorSet, _candidates: int) -> Search:
    # apsw, because many builds of Python's own sqlite3 cannot load extensions.
    import apsw
    import sqlite_vec

    database = apsw.Connection(":memory:")
    database.enable_load_extension(True)
    database.load_extension(sqlite_vec.loadable_path())
    d = vectors.rows.shape[1]
    database.execute(f"create virtual table v using vec0(row integer primary key, e int8[{d}])")
    greatest = np.abs(vectors.rows).max()

    coarse = _levels(vectors.rows, greatest)
    with database:
        database.executemany(
            "insert into v(row, e) values (?, vec_int8(?))", ((i, row.tobytes()) for i, row in enumerate(coarse))
        )
    ask = f"select row from v where e match vec_int8(?) order by distance limit {NEIGHBOURS}"
    return lambda query: np.array(
        [row for (row,) in database.execute(ask, (_levels(query[None, :], greatest).tobytes(),))]
    )


BYTES_A_VALUE = {
    "numpy float32": 0.0,
    "satchel bits, scan alone": 0.2,
    "faiss IndexFlatIP": 4.0,
    "faiss RaBitQFastScan": 4.2,
    "faiss PQ d/4 x 4 FastScan": 4.2,
    "faiss SQ8": 1.0,
    "usearch exact int8": 1.0,
    "sqlite-vec int8": 1.3,
}
"""What each keeps in memory of its own; ours two planes and the bits."""

CONTENDERS = {
    "satchel bits": satchel_bits,
    "satchel int8": satchel_i8,
    "satchel bits, scan alone": satchel_scan,
    "satchel bits, AVX2": satchel_bits_avx2,
    "satchel int8, AVX2": satchel_i8_avx2,
    "numpy float32": numpy_f32,
    "faiss IndexFlatIP": faiss_flat,
    "faiss SQ8": faiss_sq8,
    "faiss RaBitQFastScan": faiss_rabitq_fastscan,
    "faiss PQ d/4 x 4 FastScan": faiss_pq_fastscan,
    "usearch exact int8": usearch_i8,
    "sqlite-vec int8": sqlite_vec_i8,
}
