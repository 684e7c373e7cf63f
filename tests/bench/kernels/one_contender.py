"""Build one contender and time it when asked: a child of vectors.py (see interleaved.py).

python one_contender.py NAME ROWS DIMENSION CANDIDATES
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
from contenders import CONTENDERS
from interleaved import serve
from vector_sets import open_vectors, recall

TIMED_QUERIES = 20


def main() -> None:
    name, rows, dimension, candidates = sys.argv[1], *map(int, sys.argv[2:])
    vectors = open_vectors(rows, dimension)
    started = time.perf_counter()
    search = CONTENDERS[name](vectors, candidates)
    built = time.perf_counter() - started
    queries = vectors.queries

    def finish() -> dict[str, Any]:
        found = np.array([search(query) for query in queries], np.int64)
        return {"recall": recall(found, vectors.neighbours), "build_seconds": built}

    serve(lambda i: search(queries[i]), TIMED_QUERIES, finish)


if __name__ == "__main__":
    main()
