"""Fit the scorer that picks the sentence to quote, and measure quoting end to end.

    python tests/bench/fit_quoting.py [--data FOLDER] [--write]

Each answerable question of SQuAD is searched for over its split's own contexts, the K best passages are cut into
sentences, and one sentence is quoted. It is right (`answer_inside`) when it is the one that holds the annotated answer,
and `answer_said` when it at least holds the answer's words. Weights are fitted on the train split; its figures are of
held-out articles (five folds), the dev split played no part. `--write` replaces `sentence_scorer.json`.
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from embedded_once import EmbeddedOnce, open_embedder
from indexed_sets import IndexedSet, index_set
from numpy.typing import NDArray
from question_sets import DATA, squad
from scipy.optimize import minimize

from satchel.runtime.knowledge import sentence_scorer
from satchel.runtime.knowledge.question import QuestionAnalyser
from satchel.runtime.knowledge.ranking import rank
from satchel.runtime.knowledge.sentence_scorer import WORD_FEATURES, ScorerModel, SentenceScorer

K = 6
EMBEDDED = 8
FOLDS = 5
RIDGE = 1e-3


@dataclass(frozen=True, slots=True)
class Case:
    """One question's sentences."""

    group: str
    features: NDArray[np.float64]
    """[sentences, features]; the last one is the cosine."""
    right: NDArray[np.bool_]
    """The sentence with the annotated answer."""
    said: NDArray[np.bool_]
    """Sentences with its words."""
    language: str = "en"


def collect(indexed: IndexedSet, vectors: EmbeddedOnce) -> list[Case]:
    """Search, cut and describe."""
    arrays = indexed.arrays
    analyser = QuestionAnalyser(arrays.keywords, ["en"])
    scorer = SentenceScorer(analyser, None, model=NO_MODEL)
    found = []
    for number, question in enumerate(indexed.questions.questions):
        ranking = rank(arrays, analyser, analyser.analyse(question.text), indexed.query_vectors[number])
        rows = ranking.rows[:K]
        texts = [arrays.passage_text(int(row)) for row in rows]
        candidates = scorer.candidates(question.text, texts, ranking.score[:K].tolist())
        found.append((number, rows, texts, candidates))
    sentences = [
        texts[candidate.passage][candidate.start : candidate.end]
        for _, _, texts, candidates in found
        for candidate in candidates
    ]
    of_sentence = dict(zip(sentences, vectors.vectors(sentences), strict=True))
    cases = []
    for number, rows, texts, candidates in found:
        question = indexed.questions.questions[number]
        first, last = question.spans[0]
        answer = indexed.questions.documents[question.document].text[first:last].casefold()
        said, right, features = [], [], []
        for candidate in candidates:
            file, _, _, start, _ = arrays.passages[rows[candidate.passage]].tolist()
            text = texts[candidate.passage][candidate.start : candidate.end]
            inside = start + candidate.start <= first and last <= start + candidate.end
            right.append(file == question.document and inside)
            said.append(answer in text.casefold())
            cosine = float(of_sentence[text] @ indexed.query_vectors[number])
            features.append((*candidate.features, cosine))
        cases.append(
            Case(
                question.group,
                np.array(features).reshape(-1, len(WORD_FEATURES) + 1),
                np.array(right, bool),
                np.array(said, bool),
            )
        )
    return cases


def fit(cases: Sequence[Case], columns: int) -> NDArray[np.float64]:
    """Return the weights of a conditional logit over each question's sentences, by the first `columns` features."""
    useful = [case for case in cases if case.right.any()]
    rows = np.concatenate([case.features[:, :columns] for case in useful])
    right = np.concatenate([case.right for case in useful])
    starts = np.cumsum([0, *(len(case.right) for case in useful[:-1])])
    lengths = np.array([len(case.right) for case in useful])

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = rows @ weights
        scores -= np.repeat(np.maximum.reduceat(scores, starts), lengths)
        powers = np.exp(scores)
        whole = np.add.reduceat(powers, starts)
        good = np.add.reduceat(powers * right, starts)
        share, share_right = powers / np.repeat(whole, lengths), powers * right / np.repeat(good, lengths)
        value = float(np.mean(np.log(whole) - np.log(good)) + RIDGE * weights @ weights)
        return value, rows.T @ (share - share_right) / len(useful) + 2 * RIDGE * weights

    solved = minimize(loss, np.zeros(columns), jac=True, method="L-BFGS-B")
    return solved.x


def narrowed(cases: Sequence[Case], words: NDArray[np.float64]) -> list[Case]:
    """Keep the sentences that would be embedded."""
    kept = []
    for case in cases:
        best = np.argsort(-(case.features[:, :-1] @ words), kind="stable")[:EMBEDDED]
        kept.append(Case(case.group, case.features[best], case.right[best], case.said[best]))
    return kept


def outcomes(cases: Sequence[Case], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return [cases, 4]: best score, lead over the second, right, said."""
    rows = []
    for case in cases:
        scores = case.features[:, : len(weights)] @ weights
        if not len(scores):
            rows.append((0.0, 0.0, 0.0, 0.0))
            continue
        order = np.argsort(-scores, kind="stable")
        lead = scores[order[0]] - scores[order[1]] if len(order) > 1 else 1.0
        rows.append((scores[order[0]], lead, float(case.right[order[0]]), float(case.said[order[0]])))
    return np.array(rows)


def fit_sureness(seen: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the logistic model of being right by best score and lead."""
    rows = np.column_stack([np.ones(len(seen)), seen[:, :2]])

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        chance = 1 / (1 + np.exp(-rows @ weights))
        value = -np.mean(seen[:, 2] * np.log(chance + 1e-12) + (1 - seen[:, 2]) * np.log(1 - chance + 1e-12))
        return float(value), rows.T @ (chance - seen[:, 2]) / len(rows)

    solved = minimize(loss, np.zeros(3), jac=True, method="L-BFGS-B").x
    return round(float(solved[0]), 4), round(float(solved[1]), 4), round(float(solved[2]), 4)


def calibration_error(seen: NDArray[np.float64], sure: Sequence[float], bins: int = 10) -> float:
    """Return the expected calibration error of "the quoted sentence is right"."""
    chance = 1 / (1 + np.exp(-(sure[0] + seen[:, :2] @ np.array(sure[1:]))))
    which = np.minimum((chance * bins).astype(int), bins - 1)
    gaps = [
        (which == number).mean() * abs(chance[which == number].mean() - seen[which == number, 2].mean())
        for number in range(bins)
        if (which == number).any()
    ]
    return float(sum(gaps))


def figures(seen: NDArray[np.float64], sure: Sequence[float]) -> dict[str, float]:
    """Return what is written down."""
    return {
        "questions": len(seen),
        "answer_inside": round(float(seen[:, 2].mean()), 4),
        "answer_said": round(float(seen[:, 3].mean()), 4),
        "calibration_error": round(calibration_error(seen, sure), 4),
    }


def held_out(cases: Sequence[Case], columns: int) -> NDArray[np.float64]:
    """Return the outcomes on articles that the weights were not fitted on."""
    articles = sorted({case.group for case in cases})
    fold = {article: number % FOLDS for number, article in enumerate(articles)}
    rows = []
    for part in range(FOLDS):
        weights = fit([case for case in cases if fold[case.group] != part], columns)
        rows.append(outcomes([case for case in cases if fold[case.group] == part], weights))
    return np.concatenate(rows)


NO_MODEL = ScorerModel(
    words=[], vectors=[], sure_words=(0, 0, 0), sure_vectors=(0, 0, 0), date="", fitted_on="", measured={}
)


def main() -> None:
    """Fit, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    embedder = open_embedder()
    vectors = EmbeddedOnce(embedder)
    train = collect(index_set(squad("train", arguments.data), vectors), vectors)
    dev = collect(index_set(squad("dev", arguments.data), vectors), vectors)
    embedder.close()
    columns = len(WORD_FEATURES)
    words = fit(train, columns)
    few, few_dev = narrowed(train, words), narrowed(dev, words)
    weights = fit(few, columns + 1)
    seen_words, seen = held_out(train, columns), held_out(few, columns + 1)
    sure_words, sure = fit_sureness(seen_words), fit_sureness(seen)
    model = ScorerModel(
        words=np.round(words, 4).tolist(),
        vectors=np.round(weights, 4).tolist(),
        sure_words=sure_words,
        sure_vectors=sure,
        date=dt.datetime.now(dt.UTC).date().isoformat(),
        fitted_on=f"SQuAD train split, the {K} best passages of each question over all its contexts",
        measured={
            "squad train, held-out articles, words": figures(seen_words, sure_words),
            "squad train, held-out articles, vectors": figures(seen, sure),
            "squad dev, words": figures(outcomes(dev, words), sure_words),
            "squad dev, vectors": figures(outcomes(few_dev, weights), sure),
            "squad dev, best passage's best possible": {
                "reachable": round(float(np.mean([case.right.any() for case in dev])), 4),
                "reachable_embedded": round(float(np.mean([case.right.any() for case in few_dev])), 4),
            },
        },
    )
    text = msgspec.json.format(msgspec.json.encode(model), indent=2).decode() + "\n"
    print(text)
    for name, word, vector in zip((*WORD_FEATURES, "cosine"), (*words, 0), weights, strict=True):
        print(f"{name:12} {word:8.3f} {vector:8.3f}")
    if arguments.write:
        Path(sentence_scorer.__file__).with_name("sentence_scorer.json").write_text(text)


if __name__ == "__main__":
    main()
