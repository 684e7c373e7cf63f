"""The Reader on SQuAD's dev split, articles it was never trained on, through llama.cpp from the file that is shipped.

    python tests/bench/reader.py --data DATA [--split dev] [--json FILE]

Three tables: exact match, F1 and answerability by article, gold passage given; how well its probabilities are
calibrated; milliseconds for a question with five passages. `bench/reader_search.py` measures it behind the search.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from satchel.packs.models.reader.training.calibrate import RIGHT_F1
from satchel.packs.models.reader.training.metrics import best_f1, calibration_error, exact_match
from satchel.packs.models.reader.training.sources import Example, read_squad
from satchel.runtime.knowledge.reader.bundled import load_reader
from satchel.runtime.knowledge.reader.reader import Reader
from satchel.runtime.paths import Home

PASSAGES_A_BATCH = 5


@dataclass(frozen=True, slots=True)
class Reading:
    """What the Reader said of one question on its own passage."""

    article: str
    answerable: bool
    exact: float
    f1: float
    no_answer: float
    score: float


def read_all(reader: Reader, examples: list[Example]) -> list[Reading]:
    """Ask each question of its own passage."""
    readings = []
    for example in examples:
        result = reader.read(example.question, [example.context])
        span = result.spans[0]
        answer = example.context[span.start : span.end]
        references = [example.context[a:b] for a, b in example.spans]
        readings.append(
            Reading(
                article=example.article,
                answerable=bool(references),
                exact=exact_match(answer, references),
                f1=best_f1(answer, references),
                no_answer=result.no_answer_probability,
                score=span.score,
            )
        )
    return readings


def summary(readings: list[Reading]) -> dict[str, float]:
    """Return the measures of some readings; EM and F1 in percent, over the answerable ones, an answer always given."""
    answered = [r for r in readings if r.answerable]
    said = np.array([1.0 - r.no_answer for r in readings])
    have = np.array([r.answerable for r in readings])
    right = np.array([r.f1 >= RIGHT_F1 for r in readings])
    return {
        "questions": len(readings),
        "answerable": len(answered),
        "em": 100 * statistics.fmean(r.exact for r in answered),
        "f1": 100 * statistics.fmean(r.f1 for r in answered),
        "answerability": float(((said > 0.5) == have).mean()),
        "ece_answerable": calibration_error(said, have)[0],
        "ece_right": calibration_error([r.score for r in readings], right)[0],
    }


def time_batches(reader: Reader, examples: list[Example], rounds: int = 40) -> dict[str, float]:
    """Return milliseconds a passage, five passages a question: median and fastest tenth of `rounds` questions."""
    passages = sorted({e.context for e in examples})
    taken = []
    for number in range(rounds):
        chosen = [passages[(number * PASSAGES_A_BATCH + k) % len(passages)] for k in range(PASSAGES_A_BATCH)]
        began = time.perf_counter()
        reader.read(examples[number].question, chosen)
        taken.append(1000 * (time.perf_counter() - began) / PASSAGES_A_BATCH)
    return {"median_ms": statistics.median(taken), "fastest_tenth_ms": float(np.quantile(taken, 0.1))}


def main() -> None:
    """Measure, print, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", choices=("dev", "train"), default="dev")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="weights and calibration; none: as installed")
    arguments = parser.parse_args()
    examples = read_squad(arguments.data, arguments.split)
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "data", Path(folder) / "cache", Path(folder) / "settings")
        reader = load_reader(home, threads=arguments.threads, folder=arguments.folder)
        timings = time_batches(reader, examples)
        readings = read_all(reader, examples)
        reader.close()
    by_article: defaultdict[str, list[Reading]] = defaultdict(list)
    for reading in readings:
        by_article[reading.article].append(reading)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {arguments.threads} threads")
    print(f"{'article':32} {'asked':>6} {'EM':>6} {'F1':>6} {'answerability':>14} {'its base':>9}")
    rows = [*sorted(by_article.items()), ("all", readings)]
    both = [r for group in by_article.values() if not all(x.answerable for x in group) for r in group]
    rows.append(("articles with both kinds", both))
    for name, group in rows:
        figures = summary(group)
        share = figures["answerable"] / figures["questions"]
        print(
            f"{name:32} {len(group):6} {figures['em']:6.1f} {figures['f1']:6.1f}"
            f" {figures['answerability']:14.3f} {max(share, 1 - share):9.3f}"
        )
    figures = summary(readings)
    diagrams = {
        "answerable": calibration_error([1 - r.no_answer for r in readings], [r.answerable for r in readings])[1],
        "right": calibration_error([r.score for r in readings], [r.f1 >= RIGHT_F1 for r in readings])[1],
    }
    for name, table in diagrams.items():
        print(f"\nprobability that it is {name}: expected calibration error {figures[f'ece_{name}']:.3f}")
        print("  said    was     questions")
        for said, was, count in table:
            print(f"  {said:.3f}  {was:.3f}  {count:6}")
    print(f"\n{PASSAGES_A_BATCH} passages a question: {timings['median_ms']:.1f} ms a passage (median)")
    if arguments.json:
        articles = {name: summary(group) for name, group in rows}
        arguments.json.write_text(
            json.dumps({"articles": articles, "reliability": diagrams, "timings": timings}, indent=1)
        )


if __name__ == "__main__":
    main()
