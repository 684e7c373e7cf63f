"""The operations on a GPU. Arrays are torch tensors on one device; what they hold and mean is as in `kernels/ops.py`.

A ranking is (scores float32 [q, k], row numbers int64 [q, k]) on the same device. `allowed` is a uint8 bitmap
[ceil(n / 8)] in little bit order. The scans of int8 and 1-bit rows rank as every CPU backend does, to the bit; sums of
floats (`scan_f16`, the rescoring in `search`) run in the GPU's order. Nothing waits for the GPU.

Raises, all of them: ValueError for a tensor of the wrong type, shape or device, with its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from satchel.kernels.arrays import QuantisedRows, bit_shape
from satchel.kernels.ops import candidates_for
from satchel.kernels.triton.launch import MOST_KEPT, Launch, Ranking, Scan, Tensor, check, cut_tile, power_of_two
from satchel.kernels.triton.queries import cut_bits, cut_f16, cut_i8
from satchel.kernels.triton.rescore import rescore as rescore_candidates
from satchel.kernels.triton.scan_bits import scan_bits as scan_bit_rows
from satchel.kernels.triton.scan_rows import scan_rows

BIT_LAUNCH = Launch(rows=256)
RESCORE_STEP = 32
"""Dimensions of each candidate at a time: both planes of up to 1,024 candidates lie in a program's registers."""

OptionalTensor: TypeAlias = Tensor | None


@dataclass(frozen=True, slots=True)
class DeviceRows:
    """`arrays.QuantisedRows` on a device; `bits`, `factors` and `centre` are None without 1-bit rows."""

    high: Tensor
    low: Tensor
    scale: Tensor
    bits: OptionalTensor = None
    """int64 [ceil(n / 8), ceil(d / 64), 8]: torch has few operations on uint64."""
    factors: OptionalTensor = None
    centre: OptionalTensor = None


def to_device(rows: QuantisedRows, device: str = "cuda") -> DeviceRows:
    """Copy rows, and their bits where they have them, to a device."""
    import torch

    planes = [torch.tensor(array, device=device) for array in (rows.high, rows.low, rows.scale)]
    if rows.bits is None:
        return DeviceRows(*planes)
    bits = rows.bits.bits.view("int64"), rows.bits.factors, rows.bits.centre
    return DeviceRows(*planes, *(torch.tensor(array, device=device) for array in bits))


def scan_f16(
    rows: Tensor, queries: Tensor, k: int, *, allowed: OptionalTensor = None, launch: Launch | None = None
) -> Ranking:
    """Return the k rows of float16 [n, d] with the highest dot product; queries float32 [q, d], cut to float16.

    Products are exact, sums float32. A row that is not finite is never found, nor is anything by such a query.
    """
    check("rows", rows, "float16", (None, None), rows)
    return _scan_rows(rows, None, Scan(rows, rows.shape, queries, k, allowed=allowed, launch=launch or Launch()))


def scan_i8(
    high: Tensor,
    scale: Tensor,
    queries: Tensor,
    k: int,
    *,
    allowed: OptionalTensor = None,
    launch: Launch | None = None,
) -> Ranking:
    """Return the k rows of the high plane, int8 [n, d], nearest to each query; see `ops.scan_i8`."""
    check("high", high, "int8", (None, None), high)
    check("scale", scale, "float32", (high.shape[0],), high)
    return _scan_rows(high, scale, Scan(high, high.shape, queries, k, allowed=allowed, launch=launch or Launch()))


def scan_bits(
    bits: Tensor,
    factors: Tensor,
    centre: Tensor,
    queries: Tensor,
    k: int,
    *,
    allowed: OptionalTensor = None,
    launch: Launch | None = None,
) -> Ranking:
    """Return the k 1-bit rows with the highest estimated score; see `ops.scan_bits`, and `DeviceRows` for the types."""
    check("factors", factors, "float32", (None,), bits)
    check("centre", centre, "float32", (None,), bits)
    shape = factors.shape[0], centre.shape[0]
    check("bits", bits, "int64", bit_shape(*shape), bits)
    scan = Scan(bits, shape, queries, k, allowed=allowed, launch=launch or BIT_LAUNCH)
    if scan.is_empty:
        return scan.nothing()
    words = bits.shape[1]
    planes = scan.new("int64", scan.query_count, words, 4)
    steps, offsets = scan.new("float32", scan.query_count), scan.new("float32", scan.query_count)
    cut_bits[(scan.query_count,)](
        queries,
        centre,
        planes,
        steps=steps,
        offsets=offsets,
        dimension=scan.dimension,
        words=words,
        words_padded=power_of_two(words),
        enable_fp_fusion=False,
    )
    keys = scan.new("int64", scan.query_count, scan.parts, scan.kept)
    scan_bit_rows[(scan.parts, scan.query_count)](
        bits,
        factors,
        planes,
        steps,
        offsets,
        allowed=keys if allowed is None else allowed,
        keys=keys,
        count=scan.count,
        rows_a_part=scan.rows_a_part,
        dimension=scan.dimension,
        words=words,
        tile_rows=scan.tile_rows,
        kept=scan.kept,
        filtered=allowed is not None,
        num_warps=scan.warps,
        enable_fp_fusion=False,
    )
    return scan.finish(keys)


def search(
    rows: DeviceRows, queries: Tensor, k: int, *, allowed: OptionalTensor = None, rescore: int | None = None
) -> Ranking:
    """Return the k best rows for each query: bits where there are some, else the high plane, then both; see `ops`."""
    count, d = rows.high.shape
    check("low", rows.low, "int8", (count, d), rows.high)
    wanted = min(MOST_KEPT, candidates_for(count, k)) if rescore is None else rescore
    handed_on = max(k, min(wanted if rows.bits is not None else min(wanted, 4 * k), count))
    if rows.bits is None:
        _, candidates = scan_i8(rows.high, rows.scale, queries, handed_on, allowed=allowed)
    else:
        _, candidates = scan_bits(rows.bits, rows.factors, rows.centre, queries, handed_on, allowed=allowed)
    scan = Scan(rows.high, (handed_on, d), queries, k, allowed=None, launch=Launch())
    if scan.is_empty or not count:
        return scan.nothing()
    parts = -(-handed_on // scan.tile_rows)
    keys = scan.new("int64", scan.query_count, parts, scan.kept)
    rescore_candidates[(parts, scan.query_count)](
        rows.high,
        rows.low,
        rows.scale,
        queries,
        candidates,
        keys=keys,
        candidate_count=handed_on,
        dimension=d,
        step=RESCORE_STEP,
        tile_rows=scan.tile_rows,
        kept=scan.kept,
        enable_fp_fusion=True,
    )
    return scan.finish(keys)


def _scan_rows(rows: Tensor, row_scales: OptionalTensor, scan: Scan) -> Ranking:
    if scan.is_empty:
        return scan.nothing()
    levels, scales = scan.new(rows.dtype, scan.query_count, scan.dimension), scan.new("float32", scan.query_count)
    cut = cut_f16 if row_scales is None else cut_i8
    cut[(scan.query_count,)](
        scan.queries,
        levels,
        scales,
        dimension=scan.dimension,
        padded=power_of_two(scan.dimension),
        enable_fp_fusion=False,
    )
    tile = cut_tile(
        scan.dimension, scan.query_count, scan.tile_rows, bytes_a_step=scan.step, item_size=rows.element_size()
    )
    keys = scan.new("int64", scan.query_count, scan.parts, scan.kept)
    scan_rows[(scan.parts, -(-scan.query_count // tile.queries))](
        rows,
        scales if row_scales is None else row_scales,
        levels,
        scales,
        allowed=keys if scan.allowed is None else scan.allowed,
        keys=keys,
        count=scan.count,
        query_count=scan.query_count,
        rows_a_part=scan.rows_a_part,
        dimension=scan.dimension,
        step=tile.step,
        tile_rows=scan.tile_rows,
        tile_queries=tile.queries,
        kept=scan.kept,
        unrolled=tile.unrolled,
        filtered=scan.allowed is not None,
        num_warps=scan.warps,
        enable_fp_fusion=True,
    )
    return scan.finish(keys)
