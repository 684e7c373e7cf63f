"""Top-k as 64-bit keys, as in c/selection.h: the order of the keys is score falling, then row number rising."""

from __future__ import annotations

import triton.language as tl
from satchel.kernels.triton.bitonic import best_rising, merge_falling
from satchel.kernels.triton.compiling import jit

NO_KEY = tl.constexpr(-(2**63))
"""Less than any key: no row."""
LAST_ROW = tl.constexpr(0xFFFFFFFF)


@jit
def make_keys(scores: tl.tensor, rows: tl.tensor, usable: tl.tensor) -> tl.tensor:
    """Return int64 keys of float32 scores [q, r] of rows int64 [1, r]; NO_KEY where not usable, NaN or -inf."""
    bits = (scores + 0.0).to(tl.int32, bitcast=True)  # -0.0 becomes 0.0, so that the two tie
    ordered = (bits ^ ((bits >> 31) & 0x7FFFFFFF)).to(tl.int64)
    return tl.where(usable & (scores > float("-inf")), (ordered << 32) | (LAST_ROW - rows), NO_KEY)


@jit
def keep_best(best: tl.tensor, keys: tl.tensor) -> tl.tensor:
    """Return the best of both, falling: best int64 [q, k] is falling, keys int64 [q, r] is in any order, k <= r.

    Nothing is sorted where no key is better than the last one that is kept, and that soon is almost always so.
    """
    better = tl.max(keys, axis=1) > tl.min(best, axis=1)
    if tl.max(better.to(tl.int32), axis=0) > 0:
        best = merge_falling(best, best_rising(keys, best.shape[1]))
    return best


@jit
def store_best(keys: tl.tensor, best: tl.tensor, first_query: tl.tensor, query_count: tl.tensor) -> None:
    """Store this program's best, int64 [q, k], into keys int64 [query_count, part, k]; program axis 0 is the part."""
    kept: tl.constexpr = best.shape[1]
    queries = first_query + tl.arange(0, best.shape[0])
    lists = queries.to(tl.int64) * tl.num_programs(0) + tl.program_id(0)
    places = lists[:, None] * kept + tl.arange(0, kept)[None, :]
    tl.store(keys + places, best, mask=(queries < query_count)[:, None])


@jit
def are_allowed(allowed: tl.tensor, rows: tl.tensor, inside: tl.tensor) -> tl.tensor:
    """Return whether the bitmap allows each of rows, int64 [r]."""
    octets = tl.load(allowed + (rows >> 3), mask=inside, other=0).to(tl.int32)
    return ((octets >> (rows & 7).to(tl.int32)) & 1) > 0


@jit
def finish(
    keys: tl.tensor,
    scores: tl.tensor,
    numbers: tl.tensor,
    parts: tl.tensor,
    k: tl.tensor,
    kept: tl.constexpr,
    parts_padded: tl.constexpr,
) -> None:
    """Write the k best of a query's lists, falling int64 [parts, kept], as float32 scores and int64 row numbers.

    All lists' first keys are looked at together (or first few, where there are few lists), then their next ones, until
    none is better than what is kept: of a list's keys, few are among the best of all. parts_padded: a power of two.
    """
    query = tl.program_id(0).to(tl.int64)
    together: tl.constexpr = max(kept, parts_padded)
    part = tl.arange(0, together) % parts_padded
    place = tl.arange(0, together) // parts_padded
    lists = keys + (query * parts + part) * kept
    best = tl.full((1, kept), NO_KEY, tl.int64)
    heads = tl.load(lists + place, mask=part < parts, other=NO_KEY)[None, :]
    while tl.max(tl.max(heads, axis=1), axis=0) > tl.min(tl.min(best, axis=1), axis=0):
        best = keep_best(best, heads)
        place += together // parts_padded
        heads = tl.load(lists + place, mask=(part < parts) & (place < kept), other=NO_KEY)[None, :]
    ordered = (best >> 32).to(tl.int32)
    found = best > NO_KEY
    score = tl.where(found, (ordered ^ ((ordered >> 31) & 0x7FFFFFFF)).to(tl.float32, bitcast=True), float("-inf"))
    number = tl.where(found, LAST_ROW - (best & 0xFFFFFFFF), -1)
    order = tl.arange(0, kept)[None, :]
    tl.store(scores + query * k + order, score, mask=order < k)
    tl.store(numbers + query * k + order, number, mask=order < k)
