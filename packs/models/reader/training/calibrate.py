"""Fit the Reader's three logistic models on the held-out articles of SQuAD's train split, through llama.cpp.

    python -m satchel.packs.models.reader.training.calibrate --data DATA --home FOLDER

Writes `calibration.json` beside the weights. Each question is read twice: on its own passage, and among five (its own
and the four of those articles that share the most words with it), so that one model serves any number of passages.
Answerable questions are weighed to 61.7%, their share in the whole train split; in the held-out articles it is 46.5%.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from satchel.packs.models.reader.training import sources
from satchel.packs.models.reader.training.metrics import best_f1, calibration_error
from satchel.packs.models.reader.training.sources import Example
from satchel.runtime.knowledge.reader.bundled import CALIBRATION, load_reader
from satchel.runtime.knowledge.reader.calibration import (
    Calibration,
    answer_signals,
    right_signals,
    set_signals,
    sigmoid,
)
from satchel.runtime.knowledge.reader.spans import RawSpan
from satchel.runtime.paths import Home

ANSWERABLE_SHARE = 0.617
PASSAGES = 5
_CONVERGED = 1e-8
NOT_CALIBRATED = Calibration((1.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0))
RIGHT_F1 = 0.5
"""A span counts as right from this overlap with a reference on."""
_WORDS = re.compile(r"[a-z0-9]{3,}")


def fit_logistic(
    signals: NDArray[np.float64], true: NDArray[np.bool_], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the coefficients of a weighted logistic regression, by Newton's method with a slight ridge."""
    coefficients = np.zeros(signals.shape[1])
    ridge = 1e-2 * np.eye(signals.shape[1])
    for _ in range(50):
        p = sigmoid(signals @ coefficients)
        gradient = signals.T @ (weights * (true - p)) - ridge @ coefficients
        hessian = (signals * (weights * p * (1 - p))[:, None]).T @ signals + ridge
        step = np.linalg.solve(hessian, gradient)
        coefficients += step
        if np.abs(step).max() < _CONVERGED:
            break
    return coefficients


def passage_sets(examples: Sequence[Example]) -> list[list[str]]:
    """Return five passages for each question: its own first, then those that share the most (rare) words with it."""
    passages = sorted({e.context for e in examples})
    words = [set(_WORDS.findall(p.lower())) for p in passages]
    frequency = Counter(w for found in words for w in found)
    sets = []
    for example in examples:
        asked = set(_WORDS.findall(example.question.lower()))
        order = sorted(range(len(passages)), key=lambda n: -sum(1 / frequency[w] for w in asked & words[n]))
        others = [passages[n] for n in order if passages[n] != example.context][: PASSAGES - 1]
        sets.append([example.context, *others])
    return sets


def is_right(example: Example, passage: str, span: RawSpan) -> bool:
    """Tell whether a span is near enough to a reference answer."""
    references = [example.context[a:b] for a, b in example.spans]
    return best_f1(passage[span.start : span.end], references) >= RIGHT_F1


def fit(examples: Sequence[Example], sets: Sequence[Sequence[str]], read: Sequence[Sequence[RawSpan]]) -> Calibration:
    """Fit the three models, each on what the one before gives."""
    answerable = np.array([bool(e.spans) for e in examples])
    share = answerable.mean()
    weights = np.where(answerable, ANSWERABLE_SHARE / share, (1 - ANSWERABLE_SHARE) / (1 - share))
    own = answer_signals([spans[0] for spans in read])
    answers = fit_logistic(own, answerable, weights)
    evidences = [answer_signals(spans) @ answers for spans in read]
    both = np.array([set_signals(e[:1]) for e in evidences] + [set_signals(e) for e in evidences])
    any_answers = fit_logistic(both, np.tile(answerable, 2), np.tile(weights, 2))
    rows, true = [], []
    for count in (1, PASSAGES):
        for example, passages, spans, found in zip(examples, sets, read, evidences, strict=True):
            best = int(found[:count].argmax())
            rows.append(right_signals(spans[:count], found[:count])[best])
            true.append(is_right(example, passages[best], spans[best]))
    right = fit_logistic(np.array(rows), np.array(true), np.tile(weights, 2))
    for name, signals, outcome, coefficients in (
        ("answers", own, answerable, answers),
        ("any_answers", both, np.tile(answerable, 2), any_answers),
        ("right", np.array(rows), np.array(true), right),
    ):
        p = sigmoid(signals @ coefficients)
        error, _ = calibration_error(p, outcome)
        accuracy = (p.round() == outcome).mean()
        print(f"{name}: accuracy {accuracy:.3f}, calibration error {error:.3f} (unweighted, on what it was fitted on)")
    return Calibration(tuple(answers.tolist()), tuple(any_answers.tolist()), tuple(right.tolist()))


def main() -> None:
    """Read the held-out questions and write the calibration."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--home", type=Path, required=True, help="where the GGUF that runs is written")
    parser.add_argument("--folder", type=Path, default=Path(__file__).resolve().parent.parent)
    arguments = parser.parse_args()
    home = Home(data=arguments.home / "data", cache=arguments.home / "cache", settings=arguments.home / "settings")
    examples = [e for e in sources.read_squad(arguments.data, "train") if e.article in sources.HELD_OUT_ARTICLES]
    sets = passage_sets(examples)
    reader = load_reader(home, folder=arguments.folder, calibration=NOT_CALIBRATED)
    read = [reader.read_raw(e.question, passages) for e, passages in zip(examples, sets, strict=True)]
    reader.close()
    calibration = fit(examples, sets, read)
    (arguments.folder / CALIBRATION).write_bytes(msgspec.json.format(msgspec.json.encode(calibration)) + b"\n")


if __name__ == "__main__":
    main()
