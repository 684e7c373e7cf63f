"""Rows, queries and postings for the kernels' tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from satchel.kernels import dispatch
from satchel.kernels.arrays import Postings

# 16 floats, 32 and 64 bytes and 64 bits are the lanes of one backend or another.
DIMENSIONS = (1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 97, 127, 128, 129, 384, 389, 640, 1021, 4096)
ROW_COUNTS = (1, 2, 7, 8, 9, 15, 16, 17, 61, 64, 257)


def available_backends() -> list[str]:
    """The names of all backends that can run here, the reference included."""
    return [backend.name for backend in dispatch.explain().backends if backend.available]


def native_backends() -> list[str]:
    return [name for name in available_backends() if name != "numpy"]


def make_rows(count: int, dimension: int, seed: int = 0) -> NDArray[np.float32]:
    """Unit vectors like an embedder's: off centre, so that the mean row matters."""
    random = np.random.default_rng([seed, count, dimension])
    rows = random.standard_normal((count, dimension)) + 0.3
    return (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)).astype(np.float32)


def misaligned(array: NDArray) -> NDArray:
    """The same array, contiguous, starting one element past a border of 64 bytes."""
    buffer = np.empty(array.nbytes + 64 + array.itemsize, np.uint8)
    start = -buffer.ctypes.data % 64 + array.itemsize
    moved = buffer[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    moved[...] = array
    assert moved.ctypes.data % 64 == array.itemsize % 64
    return moved


def make_postings(passages: int, terms: int, seed: int = 0) -> Postings:
    """Terms whose frequencies fall like those of words: the first are in almost every passage."""
    random = np.random.default_rng([seed, passages, terms])
    members = [
        np.flatnonzero(random.random(passages) < min(0.95, 3 / (rank + 1))).astype(np.uint32) for rank in range(terms)
    ]
    offsets = np.concatenate([[0], np.cumsum([len(member) for member in members])]).astype(np.uint64)
    flat = np.concatenate([*members, np.empty(0, np.uint32)]).astype(np.uint32)
    return Postings(
        offsets=offsets,
        passages=flat,
        counts=random.geometric(0.6, len(flat)).astype(np.uint16),
        lengths=random.integers(1, 400, passages).astype(np.uint32),
    )
