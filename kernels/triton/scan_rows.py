"""Rows of float16 or int8 against queries of the same type, and the best of them, in one pass.

A program goes through a part of the rows, some at a time, for some queries. One query is multiplied out (bound by
memory: 2 d or d + 4 bytes a row); more go through the matrix units, and each row is loaded once for all of them.
Reference: ../reference/scan_i8.py.
"""

from __future__ import annotations

import triton.language as tl
from satchel.kernels.triton.compiling import jit
from satchel.kernels.triton.ranking import NO_KEY, are_allowed, keep_best, make_keys, store_best


@jit
def add_products(
    sums: tl.tensor,
    rows: tl.tensor,
    levels: tl.tensor,
    row: tl.tensor,
    query: tl.tensor,
    at: tl.tensor,
    count: tl.tensor,
    query_count: tl.tensor,
    dimension: tl.constexpr,
    step: tl.constexpr,
) -> tl.tensor:
    """Return sums [queries, rows] with the products of `step` dimensions from `at` on added."""
    dim = at + tl.arange(0, step)
    tile = tl.load(
        rows + row[:, None] * dimension + dim[None, :],
        mask=(row < count)[:, None] & (dim < dimension)[None, :],
        other=0,
    )
    level = tl.load(
        levels + query[:, None] * dimension + dim[None, :],
        mask=(query < query_count)[:, None] & (dim < dimension)[None, :],
        other=0,
    )
    if sums.shape[0] == 1:
        return sums + tl.sum(tile.to(sums.dtype) * level.to(sums.dtype), axis=1)[None, :]
    return tl.dot(level, tl.trans(tile), sums, out_dtype=sums.dtype)


@jit
def scan_rows(
    rows: tl.tensor,
    row_scales: tl.tensor,
    levels: tl.tensor,
    scales: tl.tensor,
    allowed: tl.tensor,
    keys: tl.tensor,
    count: tl.tensor,
    query_count: tl.tensor,
    rows_a_part: tl.tensor,
    dimension: tl.constexpr,
    step: tl.constexpr,
    tile_rows: tl.constexpr,
    tile_queries: tl.constexpr,
    kept: tl.constexpr,
    unrolled: tl.constexpr,
    filtered: tl.constexpr,
) -> None:
    """Write this part's best rows as keys [q, part, kept]; axis 0 is the part, axis 1 the group of queries.

    rows int8 [count, d] with row_scales float32 [count], or float16 without (they are not read then); levels [q, d] of
    the rows' type and scales float32 [q] as `queries.py` writes them; allowed uint8 [count / 8], read where filtered.
    unrolled: all of a tile's loads are under way together, which takes registers (or shared memory) for all of them.
    """
    is_i8: tl.constexpr = rows.dtype.element_ty == tl.int8
    sum_type: tl.constexpr = tl.int32 if is_i8 else tl.float32
    first_query = tl.program_id(1) * tile_queries
    query = first_query + tl.arange(0, tile_queries)
    query_scale = tl.load(scales + query, mask=query < query_count, other=float("nan"))[:, None]
    best = tl.full((tile_queries, kept), NO_KEY, tl.int64)
    first = tl.program_id(0).to(tl.int64) * rows_a_part
    for start in range(first, tl.minimum(first + rows_a_part, count), tile_rows):
        row = start + tl.arange(0, tile_rows).to(tl.int64)
        inside = row < count
        sums = tl.zeros((tile_queries, tile_rows), sum_type)
        if unrolled:
            for at in tl.static_range(0, dimension, step):
                sums = add_products(
                    sums,
                    rows,
                    levels,
                    row=row,
                    query=query,
                    at=at,
                    count=count,
                    query_count=query_count,
                    dimension=dimension,
                    step=step,
                )
        else:
            for at in range(0, dimension, step):
                sums = add_products(
                    sums,
                    rows,
                    levels,
                    row=row,
                    query=query,
                    at=at,
                    count=count,
                    query_count=query_count,
                    dimension=dimension,
                    step=step,
                )
        usable = inside
        if filtered:
            usable = usable & are_allowed(allowed, row, inside)
        usable = usable[None, :]
        scores = sums.to(tl.float32)
        if is_i8:
            scores = scores * tl.load(row_scales + row, mask=inside, other=0.0)[None, :]
        else:
            # A row that is not finite is never found; its score need not be NaN.
            usable = usable & (tl.abs(scores) < float("inf"))
        best = keep_best(best, make_keys(scores * query_scale, row[None, :], usable))
    store_best(keys, best, first_query, query_count)
