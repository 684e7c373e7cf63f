"""Rows, queries and their true neighbours at any size, made of real vectors (see real_vectors.py) and cached.

384 dimensions: up to 36,864 rows are MiniLM's own vectors; more are mixtures w a + (1 - w) b of two of them, w in
[.5, .8], seeded, normalised: a million neighbours in the space that 36,864 real ones span, so a harder crowd than a
million real passages. 1024 dimensions: three such rows side by side, cut to 1024 and normalised. Queries are questions
that people asked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from real_vectors import CACHE

QUERIES = 100
NEIGHBOURS = 10
ROWS_AT_A_TIME = 65_536


@dataclass(frozen=True, slots=True)
class VectorSet:
    rows: NDArray[np.float32]
    """Unit vectors [n, d], a read-only map."""
    queries: NDArray[np.float32]
    """Unit vectors [100, d]."""
    neighbours: NDArray[np.int64]
    """The ten rows with the highest float32 dot product, [100, 10]."""


def open_vectors(rows: int, dimension: int) -> VectorSet:
    """Return the set, made and written to the cache at the first call (a minute for a million rows)."""
    base = CACHE / f"{rows}x{dimension}"
    if not base.with_suffix(".neighbours.npy").exists():
        write_vectors(rows, dimension)
    return VectorSet(
        np.load(base.with_suffix(".rows.npy"), mmap_mode="r"),
        np.load(base.with_suffix(".queries.npy")),
        np.load(base.with_suffix(".neighbours.npy")),
    )


def write_vectors(rows: int, dimension: int) -> None:
    base = CACHE / f"{rows}x{dimension}"
    passages, questions = np.load(CACHE / "passages.npy"), np.load(CACHE / "questions.npy")
    random = np.random.default_rng([rows, dimension])
    out = np.lib.format.open_memmap(base.with_suffix(".rows.npy"), "w+", np.float32, (rows, dimension))
    queries = join_parts(
        [questions[random.permutation(len(questions))[:QUERIES]] for _ in range(-(-dimension // 384))], dimension
    )
    best = np.full((QUERIES, NEIGHBOURS), -np.inf, np.float32)
    numbers = np.zeros((QUERIES, NEIGHBOURS), np.int64)
    for start in range(0, rows, ROWS_AT_A_TIME):
        count = min(ROWS_AT_A_TIME, rows - start)
        if rows <= len(passages) and dimension == 384:
            chunk = passages[start : start + count]
        else:
            chunk = join_parts([mix(passages, count, random) for _ in range(-(-dimension // 384))], dimension)
        out[start : start + count] = chunk
        scores = np.hstack([best, queries @ chunk.T])
        places = np.argsort(-scores, axis=1, kind="stable")[:, :NEIGHBOURS]
        known = np.hstack([numbers, np.broadcast_to(np.arange(start, start + count), (QUERIES, count))])
        best, numbers = np.take_along_axis(scores, places, 1), np.take_along_axis(known, places, 1)
    out.flush()
    np.save(base.with_suffix(".queries.npy"), queries)
    np.save(base.with_suffix(".neighbours.npy"), numbers)


def mix(passages: NDArray[np.float32], count: int, random: np.random.Generator) -> NDArray[np.float32]:
    weights = random.uniform(0.5, 0.8, (count, 1)).astype(np.float32)
    first, second = (passages[random.integers(0, len(passages), count)] for _ in range(2))
    return unit(weights * first + (1 - weights) * second)


def join_parts(parts: list[NDArray[np.float32]], dimension: int) -> NDArray[np.float32]:
    return unit(np.hstack(parts)[:, :dimension])


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.ascontiguousarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def recall(found: NDArray[np.int64], neighbours: NDArray[np.int64]) -> float:
    """The share of true neighbours that were found."""
    hits = [len(set(f) & set(n)) for f, n in zip(found.tolist(), neighbours.tolist(), strict=True)]
    return sum(hits) / neighbours.size
