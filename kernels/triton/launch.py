"""How a scan is cut into programs: the sizes, the scratch memory and the last step of each operation in `search.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from satchel.kernels.arrays import MAX_DIMENSION
from satchel.kernels.triton.ranking import finish

Tensor: TypeAlias = Any
"""torch.Tensor; torch is imported where something is made."""
Ranking: TypeAlias = tuple[Tensor, Tensor]

MOST_KEPT = 1024
"""A program keeps its best rows in registers, so k is limited."""
FEWEST_KEPT = 16
INTERPRETED_PROCESSORS = 2
"""What Triton's interpreter on the CPU is taken to have, so that several parts are tried there too."""


FEWEST_DOT, MOST_DOT = 16, 64
"""Queries that go through the matrix units together; missing ones are filled up."""
MOST_KEYS = 64 * 64
"""Scores of a tile, queries times rows, that a program of 128 threads holds and sorts without spilling."""
LEAST_STEP = 32
"""The fewest dimensions that the matrix units take of int8."""
MOST_UNROLLED = 8
"""Steps of a row whose loads fit into registers all together."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What is best differs between GPUs, and `tests/bench/kernels/gpu.py` tries."""

    rows: int = 64
    """Rows a program scores at a time; a power of two, at least 16."""
    step: int = 128
    """Bytes of each row that it loads at a time; a power of two, at least 64."""
    programs_a_processor: int = 4
    """As many as fit at once: a scan of 384 dimensions takes 114 of a Hopper's registers a thread."""
    warps: int = 4


@dataclass(frozen=True, slots=True)
class Tile:
    """What a program of `scan_rows` takes at a time besides its rows."""

    queries: int
    """1, multiplied out, or a power of two from FEWEST_DOT on, for the matrix units."""
    step: int
    """Dimensions; a power of two."""
    unrolled: bool


def cut_tile(dimension: int, queries: int, tile_rows: int, *, bytes_a_step: int, item_size: int) -> Tile:
    """Return the tile for so many queries; the more rows at a time (to keep more), the fewer queries and bytes fit."""
    together = min(MOST_DOT, MOST_KEYS // tile_rows, max(FEWEST_DOT, power_of_two(queries)))
    if queries == 1 or together < FEWEST_DOT:
        together = 1
    step = max(LEAST_STEP, min(bytes_a_step // item_size * 64 // max(64, tile_rows), power_of_two(dimension)))
    return Tile(together, step, unrolled=together == 1 and dimension <= MOST_UNROLLED * step)


class Scan:
    """One call: its sizes and its scratch memory."""

    def __init__(
        self, rows: Tensor, shape: Sequence[int], queries: Tensor, k: int, *, allowed: Tensor | None, launch: Launch
    ) -> None:
        """`rows` says on which device all lies, `shape` how many rows and dimensions there are."""
        self.count, self.dimension = shape
        check("queries", queries, "float32", (None, self.dimension), rows)
        if not 1 <= k <= MOST_KEPT:
            raise ValueError(f"k: {k}, expected 1 to {MOST_KEPT}")
        if not 1 <= self.dimension <= MAX_DIMENSION:
            raise ValueError(f"{self.dimension} dimensions, expected 1 to {MAX_DIMENSION}")
        if allowed is not None:
            check("allowed", allowed, "uint8", (-(-self.count // 8),), rows)
        self.queries, self.query_count, self.k, self.allowed = queries, queries.shape[0], k, allowed
        self.step, self.warps = launch.step, launch.warps
        self.kept = max(FEWEST_KEPT, power_of_two(k))
        self.tile_rows = max(launch.rows, self.kept)
        tiles, most_parts = -(-self.count // self.tile_rows), _processors(rows) * launch.programs_a_processor
        self.rows_a_part = max(1, -(-tiles // most_parts)) * self.tile_rows
        self.parts = -(-self.count // self.rows_a_part)
        self.is_empty = not self.count or not self.query_count
        self._device = rows.device

    def new(self, dtype: Any, *shape: int) -> Tensor:
        """Return memory on the rows' device."""
        import torch

        dtype = getattr(torch, dtype) if isinstance(dtype, str) else dtype
        return torch.empty(shape, dtype=dtype, device=self._device)

    def nothing(self) -> Ranking:
        """Return the ranking of no rows or no queries."""
        shape = self.query_count, self.k
        return self.new("float32", *shape).fill_(float("-inf")), self.new("int64", *shape).fill_(-1)

    def finish(self, keys: Tensor) -> Ranking:
        """Return the ranking of the parts' best, int64 [q, parts, kept]."""
        scores, numbers = self.new("float32", self.query_count, self.k), self.new("int64", self.query_count, self.k)
        parts = keys.shape[1]
        finish[(self.query_count,)](
            keys,
            scores,
            numbers,
            parts,
            k=self.k,
            kept=self.kept,
            parts_padded=power_of_two(parts),
            enable_fp_fusion=False,
        )
        return scores, numbers


def check(name: str, tensor: Tensor, dtype: str, shape: Sequence[int | None], rows: Tensor) -> None:
    """Refuse what a kernel would misread; None in `shape` is any size, `rows` says on which device all lies."""
    sizes, given = tuple(shape), tuple(getattr(tensor, "shape", ()))
    fits = len(given) == len(sizes) and all(size in {None, have} for size, have in zip(sizes, given, strict=True))
    kind = str(getattr(tensor, "dtype", type(tensor).__name__))
    if not fits or kind != f"torch.{dtype}" or tensor.device != rows.device or not tensor.is_contiguous():
        wanted = ", ".join("any" if size is None else str(size) for size in sizes)
        where = getattr(tensor, "device", "no device")
        expected = f"contiguous torch.{dtype} ({wanted}) on {getattr(rows, 'device', 'a device')}"
        raise ValueError(f"{name}: {kind} {given} on {where}, expected {expected}")


def power_of_two(count: int) -> int:
    """Return the least power of two that is not below `count`."""
    return 1 << max(0, count - 1).bit_length()


def _processors(rows: Tensor) -> int:
    import torch

    if rows.device.type != "cuda":
        return INTERPRETED_PROCESSORS
    return int(torch.cuda.get_device_properties(rows.device).multi_processor_count)
