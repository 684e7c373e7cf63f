"""Embed real paragraphs and questions once with all-MiniLM-L6-v2, for recall on vectors as they occur.

    python tests/bench/kernels/real_vectors.py --model FOLDER [--data FOLDER]

Writes `.cache/kernels-vectors/{passages,questions}.npy`, float32 unit vectors [n, 384]: 36,864 short paragraphs in
equal parts out of a textbook, an encyclopaedia, a dictionary and a book of facts, and 1,000 questions of SQuAD.
It takes a few minutes on two cores, and nothing when the files are there.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[3]
CACHE = ROOT / ".cache" / "kernels-vectors"
SOURCES = ("openstax", "wikipedia_paragraphs", "wordset", "factbook")
PASSAGES_PER_SOURCE = 9_216
QUESTIONS = 1_000
SHORTEST, LONGEST = 60, 400
"""Characters: what takes a minute more to embed adds nothing to the shape of the distribution."""


def read_paragraphs(data: Path) -> list[str]:
    """Return the paragraphs to embed, in one seeded order."""
    chosen: list[str] = []
    for source in SOURCES:
        with gzip.open(data / "text" / f"{source}.txt.gz", "rt", encoding="utf-8") as file:
            paragraphs = [p for p in file.read().split("\n\n") if SHORTEST <= len(p) <= LONGEST]
        unique = list(dict.fromkeys(paragraphs))
        chosen += random.Random(source).sample(unique, PASSAGES_PER_SOURCE)
    random.Random(0).shuffle(chosen)
    return chosen


def read_questions(data: Path) -> list[str]:
    """Return distinct questions, as people ask them."""
    with gzip.open(data / "qa" / "squad.jsonl.gz", "rt", encoding="utf-8") as file:
        questions = list(dict.fromkeys(json.loads(line)["question"] for line in file))
    return random.Random(0).sample(questions, QUESTIONS)


def embed(model_folder: Path, texts: list[str]) -> NDArray[np.float32]:
    """Return unit vectors, float32 [len(texts), 384]."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(2)
    model = SentenceTransformer(str(model_folder), device="cpu")
    vectors = model.encode(texts, batch_size=64, normalize_embeddings=True, convert_to_numpy=True)
    return np.ascontiguousarray(vectors, dtype=np.float32)


def main() -> None:
    """Fill the cache."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder with all-MiniLM-L6-v2")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    arguments = parser.parse_args()
    CACHE.mkdir(parents=True, exist_ok=True)
    for name, read in (("questions", read_questions), ("passages", read_paragraphs)):
        target = CACHE / f"{name}.npy"
        if target.exists():
            continue
        unfinished = target.with_suffix(".part.npy")
        np.save(unfinished, embed(arguments.model, read(arguments.data)))
        unfinished.replace(target)


if __name__ == "__main__":
    main()
