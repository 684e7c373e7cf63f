"""How many threads an embedder takes."""

from __future__ import annotations

import os


def usable_threads(asked: int = 0) -> int:
    """Return the number of cores that this process may use, or `asked` when that is fewer and not 0."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    return max(1, min(asked or cores, cores))
