"""From question to answer: the product's search over all passages of a SQuAD split, then the Reader on the best five.

    python tests/bench/reader_search.py [--split dev] [--json FILE] [--folder WEIGHTS]

The answerable questions of the split; each context is a document. F1 and exact match are those of the one answer that
is shown first, in percent, whether its passage is the annotated one or not.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from pathlib import Path

import numpy as np
from embedded_once import EmbeddedOnce, open_embedder
from indexed_sets import index_set
from question_sets import DATA, read_squad, squad

from satchel.packs.models.reader.training.metrics import best_f1, exact_match
from satchel.runtime.knowledge.question import QuestionAnalyser
from satchel.runtime.knowledge.ranking import rank
from satchel.runtime.knowledge.reader.bundled import load_reader
from satchel.runtime.paths import Home

PASSAGES = 5


def main() -> None:
    """Measure, print, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--split", choices=("dev", "train"), default="dev")
    parser.add_argument("--articles", nargs="*", help="only the questions of these; all passages are searched")
    parser.add_argument("--sample", type=int, help="so many questions, drawn with a fixed seed")
    parser.add_argument("--folder", type=Path, help="weights and calibration; none: as installed")
    parser.add_argument("--relevance", type=float, nargs="*", help="weights of the search's score to compare")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    questions = squad(arguments.split, arguments.data)
    rows = [r for r in read_squad(arguments.data) if r["split"] == arguments.split and r["answers"]]
    embedder = open_embedder()
    indexed = index_set(questions, EmbeddedOnce(embedder))
    embedder.close()
    analyser = QuestionAnalyser(indexed.arrays.keywords, ["en"])
    numbers = [n for n, row in enumerate(rows) if not arguments.articles or row["article"] in arguments.articles]
    if arguments.sample:
        numbers = sorted(random.Random(1).sample(numbers, min(arguments.sample, len(numbers))))
    shown: list[list[tuple[float, float, float, float]]] = []
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "data", Path(folder) / "cache", Path(folder) / "settings")
        reader = load_reader(home, folder=arguments.folder)
        for number in numbers:
            references = [answer["text"] for answer in rows[number]["answers"]]
            asked = rows[number]["question"]
            ranking = rank(indexed.arrays, analyser, analyser.analyse(asked), indexed.query_vectors[number])
            relevance = ranking.score[:PASSAGES].astype(float)
            texts = [indexed.arrays.passage_text(int(row)) for row in ranking.rows[:PASSAGES]]
            evidences = reader.evidence(reader.read_raw(asked, texts))
            result = reader.read(asked, texts, relevance.tolist())
            answers = [text[span.start : span.end] for text, span in zip(texts, result.spans, strict=True)]
            shown.append(
                [
                    (float(e), float(r), best_f1(answer, references), exact_match(answer, references))
                    for e, r, answer in zip(evidences, relevance, answers, strict=True)
                ]
            )
        weight = reader.relevance_weight
        reader.close()
    figures = {}
    for name, factor in [("as shipped", weight), *((f"weight {w:g}", w) for w in arguments.relevance or ())]:
        best = [max(row, key=lambda p: p[0] + factor * p[1]) for row in shown]
        figures[name] = {"f1": 100 * np.mean([p[2] for p in best]), "em": 100 * np.mean([p[3] for p in best])}
    figures["first passage"] = {
        "f1": 100 * np.mean([r[0][2] for r in shown]),
        "em": 100 * np.mean([r[0][3] for r in shown]),
    }
    figures["best of the five"] = {
        "f1": 100 * np.mean([max(p[2] for p in r) for r in shown]),
        "em": 100 * np.mean([max(p[3] for p in r) for r in shown]),
    }
    print(f"{len(shown)} questions over {len(indexed.arrays.passages)} passages, {PASSAGES} read")
    for name, row in figures.items():
        print(f"{name:20} EM {row['em']:.1f}  F1 {row['f1']:.1f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
