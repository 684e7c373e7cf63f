"""How well passages are found: recall@1, @5, @10 and nDCG@10, and what others make of the same texts.

    python tests/bench/retrieval.py [--data FOLDER] [--json FILE]

Two sets: 276 questions over three corpora (the corpora also one by one), and the answerable questions of SQuAD's dev
split, each context a document. A passage is relevant when it holds half of a reference span (SQuAD: the answer);
recall@k is the share of a question's spans that one of the k best passages holds. Nothing was tuned on these sets.

Outside references: `bm25s` (its defaults, English stop words and stemmer) on our passages, and the usual tutorial's
pipeline: recursive chunks of 1,000 characters with 200 overlapping, vectors alone.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import bm25s
import numpy as np
import Stemmer
from embedded_once import CACHE, EmbeddedOnce, open_embedder
from indexed_sets import IndexedSet, held_spans, index_set
from numpy.typing import NDArray
from question_sets import CORPORA, DATA, QuestionSet, pooled, squad
from tutorial_chunks import recursive_chunks

from satchel.runtime.knowledge.question import QuestionAnalyser
from satchel.runtime.knowledge.ranking import RankingSettings, rank

DEPTH = 10
HYBRID = RankingSettings()
KEYWORDS = replace(HYBRID, vector_weight=0, pair_weight=0, keyword_weight=1)
VECTORS = replace(HYBRID, vector_weight=1, pair_weight=0, keyword_weight=0)
NO_PAIRS = replace(HYBRID, vector_weight=0.45, pair_weight=0, keyword_weight=0.55)

Ranker = Callable[[int], NDArray[np.int64]]
"""A question's number to the rows found, best first."""


def product_ranker(indexed: IndexedSet, settings: RankingSettings) -> Ranker:
    """Rank as the product does, with these weights."""
    analyser = QuestionAnalyser(indexed.arrays.keywords, ["en"])

    def ranked(number: int) -> NDArray[np.int64]:
        question = indexed.questions.questions[number].text
        vector = indexed.query_vectors[number]
        found = rank(indexed.arrays, analyser, analyser.analyse(question), vector, settings=settings)
        return found.rows[:DEPTH]

    return ranked


def bm25s_ranker(texts: Sequence[str], questions: Sequence[str]) -> Ranker:
    """Rank with bm25s as its README shows it."""
    stemmer = Stemmer.Stemmer("english")
    index = bm25s.BM25()
    index.index(bm25s.tokenize(texts, stopwords="en", stemmer=stemmer, show_progress=False), show_progress=False)
    tokens = bm25s.tokenize(questions, stopwords="en", stemmer=stemmer, show_progress=False)
    rows, _ = index.retrieve(tokens, k=min(DEPTH, len(texts)), show_progress=False)
    return lambda number: rows[number].astype(np.int64)


def measure(questions: QuestionSet, passages: NDArray[np.int64], ranked: Ranker) -> dict[str, float]:
    """Return the mean of each metric; `passages` are rows of (document, start, end)."""
    discounts = 1 / np.log2(np.arange(2, DEPTH + 2))
    rows = []
    for number, question in enumerate(questions.questions):
        held = held_spans(question, passages, questions.held_share)
        found = ranked(number)
        here, relevant = held[:, found], held.any(axis=0)
        ideal = discounts[: min(DEPTH, int(relevant.sum()))].sum()
        gained = discounts[: len(found)][relevant[found]].sum()
        recalls = [here[:, :k].any(axis=1).mean() for k in (1, 5, 10)]
        rows.append([*recalls, gained / ideal if ideal else 0.0])
    return dict(zip(("recall@1", "recall@5", "recall@10", "nDCG@10"), np.mean(rows, axis=0).tolist(), strict=True))


def measure_set(questions: QuestionSet, vectors: EmbeddedOnce) -> dict[str, dict[str, float]]:
    """Run every contender on one set."""
    indexed = index_set(questions, vectors)
    arrays = indexed.arrays
    spans = arrays.passages[:, [0, 3, 4]].astype(np.int64)
    texts = [arrays.passage_text(row) for row in range(len(spans))]
    asked = [question.text for question in questions.questions]
    chunks = [
        (number, start, end)
        for number, document in enumerate(questions.documents)
        for start, end in recursive_chunks(document.text)
    ]
    chunk_vectors = vectors.vectors([questions.documents[number].text[start:end] for number, start, end in chunks])
    nearest = np.argsort(-(indexed.query_vectors @ chunk_vectors.T), axis=1, kind="stable")[:, :DEPTH]
    return {
        "Satchel, hybrid": measure(questions, spans, product_ranker(indexed, HYBRID)),
        "without word pairs": measure(questions, spans, product_ranker(indexed, NO_PAIRS)),
        "BM25 alone": measure(questions, spans, product_ranker(indexed, KEYWORDS)),
        "vectors alone": measure(questions, spans, product_ranker(indexed, VECTORS)),
        "bm25s": measure(questions, spans, bm25s_ranker(texts, asked)),
        "tutorial (1,000 characters)": measure(questions, np.array(chunks), nearest.__getitem__),
    }


def main() -> None:
    """Measure all sets, print the table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--json", type=Path, default=CACHE / "retrieval.json")
    arguments = parser.parse_args()
    embedder = open_embedder()
    vectors = EmbeddedOnce(embedder)
    sets = [
        pooled(arguments.data),
        squad("dev", arguments.data),
        *(pooled(arguments.data, [name]) for name in CORPORA),
    ]
    results = {}
    for questions in sets:
        results[questions.name] = table = measure_set(questions, vectors)
        print(f"\n{questions.name}: {len(questions.questions)} questions, {len(questions.documents)} documents")
        for name, row in table.items():
            print(f"  {name:28}" + "".join(f"  {metric} {value:.4f}" for metric, value in row.items()))
    main_sets = ("pooled", "squad dev")
    print("\nmean nDCG@10 of pooled and squad dev")
    for name in results["pooled"]:
        print(f"  {name:28}  {np.mean([results[of][name]['nDCG@10'] for of in main_sets]):.4f}")
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    machine = {"platform": platform.platform(), "python": platform.python_version(), "bm25s": bm25s.__version__}
    report = {"machine": machine, "embedder": embedder.fingerprint.name, "sets": results}
    arguments.json.write_text(json.dumps(report, indent=1) + "\n")
    embedder.close()


if __name__ == "__main__":
    main()
