"""Candidates of a scan against the float query, both planes, and the best of them. Reference: ../reference/rescore.py.

Sums run in the GPU's order, so scores differ from the other backends' in the last bits.
"""

from __future__ import annotations

import triton.language as tl
from satchel.kernels.triton.compiling import jit
from satchel.kernels.triton.ranking import NO_KEY, keep_best, make_keys, store_best


@jit
def rescore(
    high: tl.tensor,
    low: tl.tensor,
    row_scales: tl.tensor,
    queries: tl.tensor,
    candidates: tl.tensor,
    keys: tl.tensor,
    candidate_count: tl.tensor,
    dimension: tl.constexpr,
    step: tl.constexpr,
    tile_rows: tl.constexpr,
    kept: tl.constexpr,
) -> None:
    """Write the best of tile_rows candidates as keys [q, part, kept]; axis 0 is the part, axis 1 the query.

    high and low int8 [n, d], row_scales float32 [n], queries float32 [q, d], candidates int64 [q, m], -1 for none.
    """
    query = tl.program_id(1)
    place = tl.program_id(0) * tile_rows + tl.arange(0, tile_rows)
    row = tl.load(candidates + query * candidate_count + place, mask=place < candidate_count, other=-1)
    real = row >= 0
    sums = tl.zeros((tile_rows,), tl.float32)
    for at in range(0, dimension, step):
        dim = at + tl.arange(0, step)
        places = row[:, None] * dimension + dim[None, :]
        inside = real[:, None] & (dim < dimension)[None, :]
        joined = tl.load(high + places, mask=inside, other=0).to(tl.int32) * 254
        joined += tl.load(low + places, mask=inside, other=0).to(tl.int32)
        values = tl.load(queries + query * dimension + dim, mask=dim < dimension, other=0.0)
        sums += tl.sum(joined.to(tl.float32) * values[None, :], axis=1)
    scores = sums * tl.div_rn(tl.load(row_scales + row, mask=real, other=0.0), 254.0)
    best = tl.full((1, kept), NO_KEY, tl.int64)
    best = keep_best(best, make_keys(scores[None, :], row[None, :], real[None, :]))
    store_best(keys, best, query, tl.num_programs(1))
