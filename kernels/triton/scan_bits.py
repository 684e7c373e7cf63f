"""1-bit rows in word-major blocks of eight against 4-bit queries, and the best of them, in one pass.

A program goes through a part of the rows, tile_rows at a time, for one query: bound by counting bits, some 600 integer
operations a row of 384 dimensions, so that sharing a load between queries would gain nothing.
Reference: ../reference/bits.py; method: RaBitQ (SIGMOD 2024).
"""

from __future__ import annotations

import triton.language as tl
from satchel.kernels.triton.compiling import jit
from satchel.kernels.triton.ranking import NO_KEY, are_allowed, keep_best, make_keys, store_best


@jit
def count_in_nibbles(word: tl.tensor) -> tl.tensor:
    """Return int64 words whose sixteen fields of 4 bits hold how many of theirs are set."""
    pairs = word - ((word >> 1) & 0x5555555555555555)
    return (pairs & 0x3333333333333333) + ((pairs >> 2) & 0x3333333333333333)


@jit
def widen(nibbles: tl.tensor) -> tl.tensor:
    """Return int64 words whose eight bytes hold the sums of two fields of 4 bits."""
    return (nibbles & 0x0F0F0F0F0F0F0F0F) + ((nibbles >> 4) & 0x0F0F0F0F0F0F0F0F)


@jit
def scan_bits(
    bits: tl.tensor,
    factors: tl.tensor,
    planes: tl.tensor,
    steps: tl.tensor,
    offsets: tl.tensor,
    allowed: tl.tensor,
    keys: tl.tensor,
    count: tl.tensor,
    rows_a_part: tl.tensor,
    dimension: tl.constexpr,
    words: tl.constexpr,
    tile_rows: tl.constexpr,
    kept: tl.constexpr,
    filtered: tl.constexpr,
) -> None:
    """Write this part's best rows as keys [q, part, kept]; axis 0 is the part, axis 1 the query.

    bits int64 [count / 8, words, 8], factors float32 [count]; planes, steps and offsets as `queries.cut_bits` writes
    them; allowed uint8 [count / 8], read where filtered.
    """
    query = tl.program_id(1)
    step, offset = tl.load(steps + query), tl.load(offsets + query)
    plane = planes + query * (words * 4)
    best = tl.full((1, kept), NO_KEY, tl.int64)
    first = tl.program_id(0).to(tl.int64) * rows_a_part
    for start in range(first, tl.minimum(first + rows_a_part, count), tile_rows):
        row = start + tl.arange(0, tile_rows).to(tl.int64)
        inside = row < count
        word = bits + (row // 8) * (words * 8) + row % 8
        # Four fields of 16 bits: a word adds at most 15 x 16 to each, and there are at most 64 words.
        sums = tl.zeros((1, tile_rows), tl.int64)
        for w in tl.static_range(words):
            signs = tl.load(word + w * 8, mask=inside, other=0)[None, :]
            ones = count_in_nibbles(signs ^ tl.load(plane + w * 4))
            twos = count_in_nibbles(signs ^ tl.load(plane + w * 4 + 1))
            fours = count_in_nibbles(signs ^ tl.load(plane + w * 4 + 2))
            eights = count_in_nibbles(signs ^ tl.load(plane + w * 4 + 3))
            octets = widen(ones + (twos << 1)) + (widen(fours + (eights << 1)) << 2)
            sums += (octets & 0x00FF00FF00FF00FF) + ((octets >> 8) & 0x00FF00FF00FF00FF)
        differing = ((sums * 0x0001000100010001) >> 48) & 0xFFFF
        agreement = (15 * dimension - 2 * differing).to(tl.float32)
        # In this order, and without contraction to FMA, as on every other backend.
        scores = tl.load(factors + row, mask=inside, other=0.0)[None, :] * agreement * step + offset
        usable = inside
        if filtered:
            usable = usable & are_allowed(allowed, row, inside)
        best = keep_best(best, make_keys(scores, row[None, :], usable[None, :]))
    store_best(keys, best, query, tl.num_programs(1))
