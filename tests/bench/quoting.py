"""Answers by quoting, end to end: question in, search over a whole split's articles, gate, quotation or refusal out.

    python tests/bench/quoting.py [--data FOLDER] [--split dev] [--sample 600] [--json FILE]
    python tests/bench/quoting.py --split train --articles "Private school" Construction "Fresno, California" --tune

Each article of SQuAD is a file, and all of a split's articles are one body of knowledge, searched as `satchel run` does
(k = 6, gate `auto`). Two contenders: the sentence scorer alone, and with the Reader. Of the answerable questions:
`EM`, `F1`: of the words shown as the answer against the references, in percent, nothing said counting 0;
`holds`: the share whose shown answer has a reference inside, `source`: whose quoted sentence overlaps a reference in
its own article, `refused`: to which nothing was said. Of the unanswerable ones, whose article speaks of what they name:
`rightly refused`: to which nothing was said. Milliseconds are medians of search (embedding included) and quoting.

`--tune` prints the settings of `quote.QuoteSettings` that do best on the questions read. The train split only, and of
it the three articles that the Reader's weights were not trained on.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from embedded_once import CACHE, EmbeddedOnce, open_embedder
from indexed_sets import index_set
from question_sets import DATA, read_squad, squad

from satchel.packs.models.reader.training.metrics import best_f1, exact_match, normalise
from satchel.runtime.knowledge.answers import Quotation
from satchel.runtime.knowledge.definitions import with_definitions
from satchel.runtime.knowledge.gate import load_gate
from satchel.runtime.knowledge.quote import PassageReader, Quoter, QuoteSettings
from satchel.runtime.knowledge.reader.bundled import load_reader
from satchel.runtime.knowledge.reader.reader import ReaderResult
from satchel.runtime.knowledge.search import Searcher, SearchResult
from satchel.runtime.knowledge.sentence_scorer import SentenceScorer
from satchel.runtime.paths import Home

K = 6
WRONG = 0.5
"""What a wrong or needless answer costs in `--tune`, where a right answer gains 1 and silence nothing."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its references: texts, and character ranges within its article's file."""

    question: str
    article: str
    references: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]


class Replay:
    """Reads each set of passages once, so that settings can be compared without reading again."""

    def __init__(self, reader: PassageReader) -> None:
        self._reader = reader
        self._read: dict[tuple[str, tuple[str, ...]], ReaderResult] = {}

    def read(self, question: str, passages: Sequence[str], relevance: Sequence[float] | None = None) -> ReaderResult:
        """Return what was read."""
        key = (question, tuple(passages))
        if key not in self._read:
            self._read[key] = self._reader.read(question, passages, relevance)
        return self._read[key]


@dataclass(slots=True)
class Tally:
    """What became of the questions of one contender."""

    em: list[float] = field(default_factory=list)
    f1: list[float] = field(default_factory=list)
    holds: list[bool] = field(default_factory=list)
    source: list[bool] = field(default_factory=list)
    refused: list[bool] = field(default_factory=list)
    rightly_refused: list[bool] = field(default_factory=list)

    def add(self, asked: Asked, quoted: Sequence[Quotation]) -> None:
        """Count one question."""
        if not asked.references:
            self.rightly_refused.append(not quoted)
            return
        answer = quoted[0].answer if quoted else ""
        self.refused.append(not quoted)
        self.em.append(100 * exact_match(answer, asked.references))
        self.f1.append(100 * best_f1(answer, asked.references))
        self.holds.append(bool(quoted) and any(normalise(text) in normalise(answer) for text in asked.references))
        self.source.append(
            bool(quoted)
            and quoted[0].file == asked.article
            and any(quoted[0].start < end and start < quoted[0].end for start, end in asked.spans)
        )

    def figures(self) -> dict[str, float]:
        """Return the means."""
        return {
            "answerable": len(self.em),
            "EM": float(np.mean(self.em)),
            "F1": float(np.mean(self.f1)),
            "holds": float(np.mean(self.holds)),
            "source": float(np.mean(self.source)),
            "refused": float(np.mean(self.refused)),
            "unanswerable": len(self.rightly_refused),
            "rightly refused": float(np.mean(self.rightly_refused)) if self.rightly_refused else float("nan"),
        }

    def worth(self) -> float:
        """Return what a person gains from an answer, on average: half for the sentence that holds it, half for F1."""
        gained = [
            0.0 if refused else (holds + f1 / 100) / 2 if holds or f1 else -WRONG
            for holds, f1, refused in zip(self.holds, self.f1, self.refused, strict=True)
        ]
        return float(np.mean(gained + [0.0 if refused else -WRONG for refused in self.rightly_refused]))


def asked_of(split: str, data: Path, texts: dict[str, str]) -> list[Asked]:
    """Return a split's questions, answerable and not; `texts` are the articles' files."""
    asked = []
    for row in read_squad(data):
        if row["split"] == split:
            at = texts[row["article"]].index(row["context"])
            spans = [(at + one["start"], at + one["start"] + len(one["text"])) for one in row["answers"]]
            references = tuple(one["text"] for one in row["answers"])
            asked.append(Asked(row["question"], row["article"], references, tuple(spans)))
    return asked


def grid() -> Iterator[QuoteSettings]:
    """Yield the settings that `--tune` compares."""
    for least, share, cue, sure in itertools.product(
        (0.3, 0.35, 0.4, 0.45, 0.5), (0.4, 0.5, 0.6, 0.7, 0.8), (0.3, 0.5, 0.7, 1.0), (0.2, 0.3, 0.4, 0.5)
    ):
        yield QuoteSettings(least_chance=least, readers_share=share, without_cue=cue, sure=sure)


@dataclass(frozen=True, slots=True)
class Run:
    """What was found and read for the questions of one run."""

    questions: list[Asked]
    found: list[SearchResult]
    scorer: Replay
    reader: Replay
    milliseconds: dict[str, float]
    """Medians."""

    def tally(self, *, with_reader: bool, settings: QuoteSettings | None = None) -> Tally:
        """Quote for every question, and count."""
        quoter = Quoter(self.scorer, self.reader if with_reader else None, settings)
        counted = Tally()
        for asked, result in zip(self.questions, self.found, strict=True):
            counted.add(asked, quoter.quote(result, ["en"] * len(result.hits)))
        return counted


def read_all(split: str, data: Path, articles: Sequence[str], sample: int | None) -> Run:
    """Search and read for a split's questions, or for those of some articles, or for a sample of them."""
    files = squad(split, data, documents="article")
    files = replace(files, documents=tuple(replace(one, name=one.group) for one in files.documents))
    embedder = open_embedder()
    arrays = index_set(files, EmbeddedOnce(embedder)).arrays
    questions = asked_of(split, data, {one.name: one.text for one in files.documents})
    questions = [asked for asked in questions if not articles or asked.article in articles]
    if sample and sample < len(questions):
        questions = random.Random(1).sample(questions, sample)
    searcher = Searcher(arrays, embedder.embed_query, gate=load_gate("auto", embedder.fingerprint))
    reader = load_reader(Home(CACHE / "data", CACHE / "cache", CACHE / "settings"), threads=2)
    run = Run(questions, [], Replay(SentenceScorer(searcher.analyser, embedder)), Replay(reader), {})
    taken: dict[str, list[float]] = {"search": [], "quoting, sentence scorer": [], "quoting, with the Reader": []}
    for asked in questions:
        began = time.perf_counter()
        result = with_definitions(searcher, searcher.search(asked.question, K))
        searched = time.perf_counter()
        Quoter(run.scorer, None).quote(result, ["en"] * len(result.hits))
        scored = time.perf_counter()
        Quoter(run.scorer, run.reader).quote(result, ["en"] * len(result.hits))
        run.found.append(result)
        # The second quoter finds the sentences scored already.
        ends = (searched - began, scored - searched, time.perf_counter() - searched)
        for of, seconds in zip(taken.values(), ends, strict=True):
            of.append(1000 * seconds)
    reader.close()
    embedder.close()
    run.milliseconds.update({name: float(np.median(values)) for name, values in taken.items()})
    return run


def main() -> None:
    """Measure, print the table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--split", choices=("dev", "train"), default="dev")
    parser.add_argument("--articles", nargs="*", default=[], help="only the questions of these; all files are searched")
    parser.add_argument("--sample", type=int, help="so many questions, drawn with a fixed seed")
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if arguments.tune and arguments.split != "train":
        parser.error("--tune takes the train split")
    run = read_all(arguments.split, arguments.data, arguments.articles, arguments.sample)
    table = {
        "sentence scorer": run.tally(with_reader=False),
        "with the Reader": run.tally(with_reader=True),
    }
    articles = ", ".join(arguments.articles) or "all articles"
    print(f"{platform.machine()}, {os.cpu_count()} cores; SQuAD {arguments.split}, {articles}")
    for name, counted in table.items():
        row = "  ".join(f"{key} {value:.4g}" for key, value in counted.figures().items())
        print(f"{name:16} {row}  worth {counted.worth():.3f}")
    print("milliseconds: " + ", ".join(f"{name} {value:.0f}" for name, value in run.milliseconds.items()))
    if arguments.tune:
        tried = [(run.tally(with_reader=True, settings=settings), settings) for settings in grid()]
        for counted, settings in sorted(tried, key=lambda one: -one[0].worth())[:12]:
            print(f"{counted.worth():.4f} {settings}")
    if arguments.json:
        figures = {name: counted.figures() for name, counted in table.items()}
        arguments.json.write_text(
            json.dumps({"contenders": figures, "milliseconds": run.milliseconds}, indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
