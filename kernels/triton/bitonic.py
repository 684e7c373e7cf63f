"""Bitonic networks over int64 keys: those of `tl.topk`, but for the way in which a key learns its partner's.

Triton's own takes the exclusive-or of both and then of one; its interpreter works that out key by key in Python, a
hundred times slower than NumPy's sum of both, less the one. A compiler sees the partner in either.
Method: Shanbhag et al., Efficient top-k query processing on massively parallel hardware (SIGMOD 2018).
"""

from __future__ import annotations

import triton.language as tl
from satchel.kernels.triton.compiling import at_compile_time, jit

RISING = tl.constexpr(0)
FALLING = tl.constexpr(1)
IN_TURNS = tl.constexpr(2)
"""Rising and falling runs next to each other: the two that the next stage makes one of."""


@at_compile_time
def log2_of(power_of_two: int) -> int:
    """Return the logarithm of a power of two."""
    return int(power_of_two).bit_length() - 1


@jit
def which_side(axes: tl.constexpr, i: tl.constexpr) -> tl.tensor:
    """Return 0 and 1 along the ith innermost of so many axes of two."""
    return tl.reshape(tl.arange(0, 2), [1] * (axes - i - 1) + [2] + [1] * i)


@jit
def swap_pairs(pairs: tl.tensor, flipped: tl.tensor, i: tl.constexpr) -> tl.tensor:
    """Return keys [2, 2, ...], the lesser of two along the ith innermost axis first; the greater where flipped."""
    axes: tl.constexpr = log2_of(pairs.numel)
    partners = tl.sum(pairs, axis=axes - 1 - i, keep_dims=True) - pairs  # wraps round and back: exact
    wants_less = (flipped ^ which_side(axes, i)).to(tl.int1)
    return tl.where((pairs > partners) != wants_less, partners, pairs)


@jit
def merge_runs(pairs: tl.tensor, stage: tl.constexpr, order: tl.constexpr) -> tl.tensor:
    """Return keys [2, 2, ...] with each bitonic run of 2^stage of them sorted."""
    flipped = which_side(log2_of(pairs.numel), stage) if order == IN_TURNS else order
    for step in tl.static_range(stage):
        pairs = swap_pairs(pairs, flipped, stage - 1 - step)
    return pairs


@jit
def best_rising(keys: tl.tensor, kept: tl.constexpr) -> tl.tensor:
    """Return the greatest of each line of int64 [q, r], rising, [q, kept]; q, r and kept <= r are powers of two."""
    log_kept: tl.constexpr = log2_of(kept)
    log_all: tl.constexpr = log2_of(keys.shape[1])
    pairs = tl.reshape(keys, [2] * log2_of(keys.numel))
    for stage in tl.static_range(1, log_kept + 1):
        pairs = merge_runs(pairs, stage, IN_TURNS if stage < log_all else RISING)
    for stage in tl.static_range(log_kept + 1, log_all + 1):
        # Of a rising and a falling run, the greater of each pair are the best of both, in bitonic order.
        pairs = tl.max(pairs, axis=log2_of(pairs.numel) - 1 - log_kept)
        pairs = merge_runs(pairs, log_kept, IN_TURNS if stage < log_all else RISING)
    return tl.reshape(pairs, [keys.shape[0], kept])


@jit
def merge_falling(falling: tl.tensor, rising: tl.tensor) -> tl.tensor:
    """Return the best of both lists, [q, k] each, falling."""
    kept: tl.constexpr = falling.shape[1]
    pairs = tl.reshape(tl.maximum(falling, rising), [2] * log2_of(falling.numel))
    return tl.reshape(merge_runs(pairs, log2_of(kept), FALLING), falling.shape)
