"""How fast passages are embedded: Satchel's own path beside one call of sentence-transformers, on the same passages.

    python tests/bench/ingestion.py --model FOLDER [--passages 1000] [--json FILE]

`--model` is all-MiniLM-L6-v2 in float32, as sentence-transformers reads it. Each path runs in a process of its own, one
after the other, in turns, with as many threads as there are cores; the model's loading does not count.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from satchel.runtime.knowledge.embedders.choose import build_embedder
from satchel.runtime.knowledge.index import KnowledgeArrays
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.paths import Home

PACK = Path(__file__).parents[2] / "packs" / "astronomy-tutor.pack"
_REFERENCE = """
import json, sys, time
import numpy as np
from sentence_transformers import SentenceTransformer
texts = json.load(open(sys.argv[2]))
model = SentenceTransformer(sys.argv[1])
model.encode(texts[:8])
started = time.perf_counter()
vectors = model.encode(texts)
print(time.perf_counter() - started)
np.save(sys.argv[3], vectors)
"""


def run_reference(model: Path, texts: Path, vectors: Path) -> float:
    """Return the seconds of one `encode(list)` with its defaults, in a fresh Python."""
    command = [sys.executable, "-c", _REFERENCE, str(model), str(texts), str(vectors)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def run_satchel(texts: list[str], home: Home) -> tuple[float, np.ndarray]:
    """Return the seconds that the product's default embedder takes, and its vectors."""
    embedder = build_embedder("default", home)
    embedder.embed_passages(texts[:8])
    started = time.perf_counter()
    vectors = embedder.embed_passages(texts)
    seconds = time.perf_counter() - started
    embedder.close()
    return seconds, vectors


def main() -> None:
    """Run in turns, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--passages", type=int, default=1000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with open_pack(PACK, verify=False) as pack:
        arrays = KnowledgeArrays.from_pack(pack)
        step = max(1, len(arrays.passages) // arguments.passages)
        texts = [arrays.passage_text(row) for row in range(0, len(arrays.passages), step)][: arguments.passages]
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        home = Home(data=root / "data", cache=root / "cache", settings=root / "settings")
        (root / "texts.json").write_text(json.dumps(texts))
        for _ in range(arguments.turns):
            seconds, vectors = run_satchel(texts, home)
            ours.append(seconds)
            theirs.append(run_reference(arguments.model, root / "texts.json", root / "vectors.npy"))
        reference = np.load(root / "vectors.npy")
    cosine = (vectors * reference).sum(axis=1) / np.linalg.norm(reference, axis=1)
    ratio = statistics.median(theirs[turn] / ours[turn] for turn in range(arguments.turns))
    count = len(texts)
    print(f"{count} passages, {os.cpu_count()} cores, {platform.machine()}")
    print(f"Satchel (llama.cpp)                 {count / statistics.median(ours):7.1f} passages/s")
    print(f"SentenceTransformer.encode(list)    {count / statistics.median(theirs):7.1f} passages/s")
    print(f"ratio, median of {arguments.turns} turns             {ratio:7.2f}")
    print(f"cosine to it: least {cosine.min():.5f}, mean {cosine.mean():.5f}")
    if arguments.json:
        result = {"passages": count, "ours_s": ours, "theirs_s": theirs, "ratio": ratio, "least": float(cosine.min())}
        arguments.json.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
