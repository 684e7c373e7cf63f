"""Fit the relevance gate, and say how it does on articles that it was not fitted on.

    python tests/bench/calibrate_gate.py [--data FOLDER] [--write]

Positive: the passage that holds the answer of a question of SQuAD's train split. Negative: the three best passages
that the same question finds once its own article is taken out of the search. The model is a logistic regression,
both classes weighed alike. `threshold` is where 3 of 100 answerable questions of held-out articles (five folds) would
be refused; `passage_threshold` is where 2 of 100 passages that hold an answer would be kept from the model.

Measured, on held-out articles of the train split and on the dev split, whose questions played no part:
`false_reject`: answerable questions whose best passage stays below; `false_accept`: questions that pass though their
article is not there; `gold_kept`: passages with the answer that are among the 6 best and shown; `impossible_accept`:
questions of the dev split that its own article cannot answer, though it speaks of what they name: the gate judges
whether passages bear on a question, not whether they answer it, so nearly all pass. `--write` replaces `gate.json`.
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from embedded_once import EmbeddedOnce, open_embedder
from indexed_sets import IndexedSet, held_spans, index_set
from numpy.typing import NDArray
from question_sets import DATA, BenchQuestion, QuestionSet, read_squad, squad

from satchel.runtime.knowledge import gate
from satchel.runtime.knowledge.gate import Calibration, GateModel
from satchel.runtime.knowledge.question import QuestionAnalyser
from satchel.runtime.knowledge.ranking import Ranking, rank

K = 6
NEGATIVES = 3
FOLDS = 5
FALSE_REJECT = 0.03
GOLD_LOST = 0.02


@dataclass(frozen=True, slots=True)
class Sample:
    """One question's features [rows, 3]: vector, keyword, pairs."""

    group: str
    found: NDArray[np.float64]
    """Of the K best over all articles."""
    gold: NDArray[np.float64]
    """Of those with the answer, wherever they rank among the candidates."""
    gold_places: NDArray[np.int64]
    foreign: NDArray[np.float64]
    """Of the K best without the question's own article."""


def collect(indexed: IndexedSet, *, with_vectors: bool) -> list[Sample]:
    """Search for every question, with and without its article."""
    arrays = indexed.arrays
    analyser = QuestionAnalyser(arrays.keywords, ["en"])
    spans = arrays.passages[:, [0, 3, 4]].astype(np.int64)
    samples = []
    for number, question in enumerate(indexed.questions.questions):
        vector = indexed.query_vectors[number] if with_vectors else None
        analysed = analyser.analyse(question.text)
        everywhere = rank(arrays, analyser, analysed, vector)
        elsewhere = rank(arrays, analyser, analysed, vector, allowed=spans[:, 0] != question.document)
        held = held_spans(question, spans, indexed.questions.held_share).any(axis=0)
        places = np.flatnonzero(held[everywhere.rows])
        samples.append(
            Sample(
                question.group,
                _features(everywhere)[:K],
                _features(everywhere)[places],
                places,
                _features(elsewhere)[:K],
            )
        )
    return samples


def fit(samples: Sequence[Sample]) -> NDArray[np.float64]:
    """Return intercept and coefficients by Newton's method, with a ridge that only keeps unused features at 0."""
    positives = np.concatenate([sample.gold[:1] for sample in samples])
    negatives = np.concatenate([sample.foreign[:NEGATIVES] for sample in samples])
    rows = np.concatenate([positives, negatives])
    rows = np.column_stack([np.ones(len(rows)), rows])
    labels = np.repeat([1.0, 0.0], [len(positives), len(negatives)])
    weights = np.repeat([0.5 / len(positives), 0.5 / len(negatives)], [len(positives), len(negatives)])
    solution = np.zeros(rows.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-rows @ solution))
        gradient = rows.T @ (weights * (chance - labels)) + 1e-6 * solution
        curvature = (rows * (weights * chance * (1 - chance))[:, None]).T @ rows + 1e-6 * np.eye(len(solution))
        solution -= np.linalg.solve(curvature, gradient)
    return solution


def chances(solution: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the relevance of feature rows."""
    return 1 / (1 + np.exp(-(solution[0] + rows @ solution[1:])))


def held_out(samples: Sequence[Sample]) -> list[tuple[Sample, NDArray[np.float64]]]:
    """Pair each sample with the coefficients fitted on the other folds' articles."""
    articles = sorted({sample.group for sample in samples})
    fold = {article: number % FOLDS for number, article in enumerate(articles)}
    fitted = [fit([sample for sample in samples if fold[sample.group] != part]) for part in range(FOLDS)]
    return [(sample, fitted[fold[sample.group]]) for sample in samples]


def thresholds(pairs: Sequence[tuple[Sample, NDArray[np.float64]]]) -> tuple[float, float]:
    """Return the question's and the passage's threshold."""
    best = [chances(solution, sample.found).max(initial=0.0) for sample, solution in pairs]
    gold = [chance for sample, solution in pairs for chance in chances(solution, sample.gold[:1])]
    for_question = float(np.quantile(best, FALSE_REJECT))
    return for_question, min(for_question, float(np.quantile(gold, GOLD_LOST)))


def measure(
    pairs: Sequence[tuple[Sample, NDArray[np.float64]]], for_question: float, for_passage: float
) -> dict[str, float]:
    """Return the shares of questions that are judged wrongly."""
    accepted = [chances(solution, sample.found).max(initial=0.0) >= for_question for sample, solution in pairs]
    foreign = [chances(solution, sample.foreign).max(initial=0.0) >= for_question for sample, solution in pairs]
    kept = [
        passes and chance >= for_passage
        for (sample, solution), passes in zip(pairs, accepted, strict=True)
        for chance, place in zip(chances(solution, sample.gold), sample.gold_places, strict=True)
        if place < K
    ]
    return {
        "questions": len(pairs),
        "false_reject": round(1 - float(np.mean(accepted)), 4),
        "false_accept": round(float(np.mean(foreign)), 4),
        "gold_kept": round(float(np.mean(kept)), 4),
    }


def impossible_questions(data: Path, indexed: IndexedSet) -> list[BenchQuestion]:
    """Return the dev split's questions that have no answer, each with its article's number."""
    numbers = {document.group: number for number, document in enumerate(indexed.questions.documents)}
    rows = [row for row in read_squad(data) if row["split"] == "dev" and not row["answers"]]
    return [BenchQuestion(row["question"], numbers[row["article"]], ((0, 0),), row["article"]) for row in rows]


def calibrate(mode: Literal["hybrid", "keywords"], data: Path, vectors: EmbeddedOnce) -> Calibration:
    """Fit and measure one model."""
    with_vectors = mode == "hybrid"
    fingerprint = vectors.embedder.fingerprint
    train = collect(index_set(squad("train", data, documents="article"), vectors), with_vectors=with_vectors)
    dev_set = index_set(squad("dev", data, documents="article"), vectors)
    dev = collect(dev_set, with_vectors=with_vectors)
    pairs = held_out(train)
    for_question, for_passage = thresholds(pairs)
    solution = fit(train)
    asked = impossible_questions(data, dev_set)
    impossible = collect(
        IndexedSet(
            QuestionSet("impossible", dev_set.questions.documents, tuple(asked), held_share=1.0),
            dev_set.arrays,
            vectors.vectors([question.text for question in asked]),
        ),
        with_vectors=with_vectors,
    )
    passed = [chances(solution, sample.found).max(initial=0.0) >= for_question for sample in impossible]
    measured = {
        "squad train, held-out articles": measure(pairs, for_question, for_passage),
        "squad dev": {
            **measure([(sample, solution) for sample in dev], for_question, for_passage),
            "impossible_accept": round(float(np.mean(passed)), 4),
        },
    }
    names = ("intercept", "vector", "keyword", "pairs")
    return Calibration(
        embedder=fingerprint.name if with_vectors else "",
        weights_sha256=fingerprint.weights_sha256 if with_vectors else "",
        languages=["en"],
        model=GateModel(
            **{name: round(float(value), 4) for name, value in zip(names, solution, strict=True)},
            threshold=round(for_question, 4),
            passage_threshold=round(for_passage, 4),
        ),
        date=dt.datetime.now(dt.UTC).date().isoformat(),
        fitted_on="SQuAD train split (30 articles), negatives from other articles",
        measured=measured,
    )


def _features(ranking: Ranking) -> NDArray[np.float64]:
    vector = np.zeros(len(ranking.rows)) if ranking.vector is None else ranking.vector
    return np.column_stack([vector, ranking.judged_keyword, ranking.judged_pairs]).astype(np.float64)


def main() -> None:
    """Calibrate with and without vectors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    embedder = open_embedder()
    vectors = EmbeddedOnce(embedder)
    calibrations = [calibrate(mode, arguments.data, vectors) for mode in ("hybrid", "keywords")]
    embedder.close()
    text = msgspec.json.format(msgspec.json.encode(calibrations), indent=2).decode() + "\n"
    print(text)
    if arguments.write:
        Path(gate.__file__).with_name("gate.json").write_text(text)


if __name__ == "__main__":
    main()
