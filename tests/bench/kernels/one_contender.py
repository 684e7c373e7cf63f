"""Build one contender and time it: a child of vectors.py, so that no two OpenMP runtimes meet in a process.

    python one_contender.py NAME ROWS DIMENSION CANDIDATES ROUNDS

Prints one line of JSON: milliseconds for one query on one thread, recall@10.
"""

from __future__ import annotations

import json
import statistics
import sys
import time

import numpy as np
from contenders import CONTENDERS
from vector_sets import open_vectors, recall

TIMED_QUERIES = 20
PATIENCE_SECONDS = 20.0


def main() -> None:
    name, rows, dimension, candidates, rounds = sys.argv[1], *map(int, sys.argv[2:])
    vectors = open_vectors(rows, dimension)
    started = time.perf_counter()
    search = CONTENDERS[name](vectors, candidates)
    built = time.perf_counter() - started
    timed: list[list[float]] = [[] for _ in range(TIMED_QUERIES)]
    deadline = time.perf_counter() + PATIENCE_SECONDS
    for _ in range(rounds):
        for times, query in zip(timed, vectors.queries, strict=False):
            started = time.perf_counter()
            search(query)
            times.append(time.perf_counter() - started)
        if time.perf_counter() > deadline:
            break
    found = np.array([search(query) for query in vectors.queries], np.int64)
    result = {
        "milliseconds": 1e3 * statistics.fmean(min(times) for times in timed),
        "median": 1e3 * statistics.median(t for times in timed for t in times),
        "recall": recall(found, vectors.neighbours),
        "build_seconds": built,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
