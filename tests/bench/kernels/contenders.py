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


def usearch_i8(vectors: VectorSet, _candidates: int) -> Search:
    from usearch.index import search as exact_search

    levels = np.clip(np.rint(vectors.rows * 127 / np.abs(vectors.rows).max()), -127, 127).astype(np.int8)

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

    def levels(rows: NDArray[np.float32]) -> NDArray[np.int8]:
        return np.clip(np.rint(rows * 127 / greatest), -127, 127).astype(np.int8)

    coarse = levels(vectors.rows)
    with database:
        database.executemany(
            "insert into v(row, e) values (?, vec_int8(?))", ((i, row.tobytes()) for i, row in enumerate(coarse))
        )
    ask = f"select row from v where e match vec_int8(?) order by distance limit {NEIGHBOURS}"
    return lambda query: np.array([row for (row,) in database.execute(ask, (levels(query).tobytes(),))])


CONTENDERS = {
    "satchel bits": satchel_bits,
    "satchel int8": satchel_i8,
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
