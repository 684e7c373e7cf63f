"""Keyword search beside its peers: milliseconds for one question on one thread, nDCG@10.

    python tests/bench/kernels/keywords.py [--data FOLDER] [--sizes 30k 270k] [--json FILE]

Needs `pip install bm25s tantivy PyStemmer`. Two corpora: the contexts of SQuAD among 30,000 textbook and encyclopaedia
paragraphs, and among all 270,000 paragraphs of the data; 200 of SQuAD's questions are asked, the right answer being
their context. Everybody gets the same terms (words, lower case, Snowball's English stemmer, no stop words) with k1 1.2
and b .75, so the work is the same; analysing a question is not timed, for anybody. Each contender runs in a process of
its own.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import random
import re
import sqlite3
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from interleaved import Contender, run_in_turns, serve
from machine import describe, wait_for_quiet
from real_vectors import ROOT

PACKAGES = ("numpy", "bm25s", "tantivy")
SIZES = {
    "30k": ("openstax", "wikipedia_paragraphs"),
    "270k": ("openstax", "wikipedia_paragraphs", "factbook", "wordset"),
}
DISTRACTORS = {"30k": 30_000, "270k": 300_000}
QUESTIONS = 200
TOP = 10
K1, B = 1.2, 0.75

Search = Callable[[int], Any]
"""From a question's number to the best passages' numbers."""


@dataclass(frozen=True, slots=True)
class Corpus:
    passages: list[list[str]]
    questions: list[list[str]]
    answers: list[int]
    """The passage that answers each question."""


def read_corpus(data: Path, size: str) -> Corpus:
    import Stemmer

    stemmer, words = Stemmer.Stemmer("english"), re.compile(r"\w+")

    def analyse(text: str) -> list[str]:
        return stemmer.stemWords(words.findall(text.lower()))

    with gzip.open(data / "qa" / "squad.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    contexts = list(dict.fromkeys(row["context"] for row in rows))
    seeded = random.Random(0)
    distractors: list[str] = []
    for source in SIZES[size]:
        with gzip.open(data / "text" / f"{source}.txt.gz", "rt", encoding="utf-8") as file:
            distractors += file.read().split("\n\n")
    seeded.shuffle(distractors)
    texts = contexts + distractors[: DISTRACTORS[size]]
    order = list(range(len(texts)))
    seeded.shuffle(order)
    place = {old: new for new, old in enumerate(order)}
    asked = seeded.sample([row for row in rows if row["answers"]], QUESTIONS)
    numbers = {context: i for i, context in enumerate(contexts)}
    return Corpus(
        passages=[analyse(texts[old]) for old in order],
        questions=[list(dict.fromkeys(analyse(row["question"]))) for row in asked],
        answers=[place[numbers[row["context"]]] for row in asked],
    )


def satchel(corpus: Corpus, backend: str | None = None) -> Search:
    from satchel.kernels import ops

    terms = sorted({term for passage in corpus.passages for term in passage})
    numbers = {term: i for i, term in enumerate(terms)}
    pairs = [
        (numbers[term], i, passage.count(term)) for i, passage in enumerate(corpus.passages) for term in set(passage)
    ]
    table = np.array(pairs, dtype=np.int64)
    table = table[np.lexsort((table[:, 1], table[:, 0]))]
    postings = ops.Postings(
        offsets=np.searchsorted(table[:, 0], np.arange(len(terms) + 1)).astype(np.uint64),
        passages=table[:, 1].astype(np.uint32),
        counts=table[:, 2].astype(np.uint16),
        lengths=np.array([len(passage) for passage in corpus.passages], np.uint32),
    )
    questions = [np.array([numbers[t] for t in question if t in numbers]) for question in corpus.questions]
    return lambda i: ops.bm25_topk(postings, questions[i], TOP, k1=K1, b=B, backend=backend)[1]


def satchel_numpy(corpus: Corpus) -> Search:
    return satchel(corpus, "numpy")


def satchel_serial(corpus: Corpus) -> Search:
    return satchel(corpus, "serial")


def bm25s_numpy(corpus: Corpus) -> Search:
    import bm25s

    index = bm25s.BM25(method="lucene", k1=K1, b=B)
    index.index(corpus.passages, show_progress=False)
    return lambda i: index.retrieve([corpus.questions[i]], k=TOP, show_progress=False, n_threads=0).documents[0]


def tantivy_memory(corpus: Corpus) -> Search:
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_text_field("text", stored=False, tokenizer_name="whitespace")
    builder.add_integer_field("number", stored=True, fast=True)
    schema = builder.build()
    index = tantivy.Index(schema)
    writer = index.writer(heap_size=500_000_000, num_threads=1)
    for i, passage in enumerate(corpus.passages):
        writer.add_document(tantivy.Document(text=" ".join(passage), number=i))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    searcher = index.searcher()

    def make_query(question: list[str]) -> Any:
        either = [(tantivy.Occur.Should, tantivy.Query.term_query(schema, "text", term)) for term in question]
        return tantivy.Query.boolean_query(either)

    queries = [make_query(question) for question in corpus.questions]

    def search(i: int) -> list[int]:
        hits = searcher.search(queries[i], TOP, count=False).hits
        return searcher.fast_field_values("number", [address for _, address in hits])

    return search


def sqlite_fts5(corpus: Corpus) -> Search:
    database = sqlite3.connect(":memory:")
    database.execute("create virtual table t using fts5(text, content='', tokenize='unicode61 remove_diacritics 0')")
    rows = ((i, " ".join(passage)) for i, passage in enumerate(corpus.passages))
    with database:
        database.executemany("insert into t(rowid, text) values (?, ?)", rows)
        database.execute("insert into t(t) values ('optimize')")
    ask = f"select rowid from t where t match ? order by rank limit {TOP}"
    queries = [" OR ".join(f'"{term}"' for term in question) for question in corpus.questions]
    return lambda i: [row for (row,) in database.execute(ask, (queries[i],))]


CONTENDERS: dict[str, Callable[[Corpus], Search]] = {
    "satchel": satchel,
    "satchel, portable C": satchel_serial,
    "satchel, NumPy": satchel_numpy,
    "bm25s": bm25s_numpy,
    "tantivy": tantivy_memory,
    "SQLite FTS5": sqlite_fts5,
}


def serve_contender(name: str, corpus: Corpus) -> None:
    """The child's side: see interleaved.py."""
    search = CONTENDERS[name](corpus)

    def finish() -> dict[str, Any]:
        gains = []
        for i, answer in enumerate(corpus.answers):
            found = [int(passage) for passage in search(i)]
            gains.append(1 / math.log2(found.index(answer) + 2) if answer in found else 0.0)
        return {"passages": len(corpus.passages), "ndcg": statistics.fmean(gains)}

    serve(search, len(corpus.questions), finish)


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--json", type=Path, default=ROOT / ".cache" / "bench" / "kernels_keywords.json")
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), choices=list(SIZES))
    parser.add_argument("--load", type=float, default=1.0, help="wait until the machine's load is below this")
    parser.add_argument("--wait", type=float, default=0.0, help="minutes to wait for that at most, before each size")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        name, size = arguments.child
        serve_contender(name, read_corpus(arguments.data, size))
        return
    report: dict[str, Any] = {"machine": {**describe(PACKAGES), "sqlite": sqlite3.sqlite_version}, "lines": []}
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    for size in arguments.sizes:
        load = wait_for_quiet(arguments.load, arguments.wait)
        command = [sys.executable, __file__, "--data", str(arguments.data), "--child"]
        lines = run_in_turns([Contender(name, [*command, name, size]) for name in CONTENDERS])
        lines = [{"size": size, "load_before": load, **line} for line in lines]
        report["lines"] += lines
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")
        ours = lines[0].get("milliseconds", math.nan)
        print(f"\n{lines[0].get('passages', 0):,} passages, {QUESTIONS} questions, top {TOP}, one thread")
        print(f"{'':22}{'ms':>10}{'p90 ms':>10}{'nDCG@10':>10}{'/ ours':>10}")
        for line in lines:
            if "error" in line:
                print(f"{line['name']:22}  {line['error']}")
                continue
            figures = f"{line['milliseconds']:10.4f}{line['slowest_tenth']:10.4f}{line['ndcg']:10.4f}"
            print(f"{line['name']:22}{figures}{line['milliseconds'] / ours:9.1f}x")


if __name__ == "__main__":
    main()
