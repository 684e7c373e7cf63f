"""Questions with known answers, as the benchmarks of search, gate and quoting take them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

CORPORA = ("chatlogs", "state_of_the_union", "wikitexts")


@dataclass(frozen=True, slots=True)
class BenchDocument:
    """A text to search in; `group` is its article or corpus."""

    name: str
    group: str
    text: str


@dataclass(frozen=True, slots=True)
class BenchQuestion:
    """A question, and the character ranges of one document that answer it."""

    text: str
    document: int
    spans: tuple[tuple[int, int], ...]
    group: str


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Documents, and questions whose answers lie in them."""

    name: str
    documents: tuple[BenchDocument, ...]
    questions: tuple[BenchQuestion, ...]
    held_share: float
    """What a passage has to hold of a span to be relevant."""


def pooled(data: Path = DATA, corpora: Sequence[str] = CORPORA) -> QuestionSet:
    """Return the questions of `retrieval/` over the given corpora together."""
    documents = tuple(
        BenchDocument(name, name, (data / "retrieval" / "corpora" / f"{name}.md").read_text()) for name in corpora
    )
    rows = [json.loads(line) for line in (data / "retrieval" / "questions.jsonl").read_text().splitlines()]
    questions = tuple(
        BenchQuestion(
            row["question"],
            corpora.index(row["corpus"]),
            tuple((span["start"], span["end"]) for span in row["references"]),
            row["corpus"],
        )
        for row in rows
        if row["corpus"] in corpora
    )
    name = "pooled" if len(corpora) > 1 else corpora[0]
    return QuestionSet(name, documents, questions, held_share=0.5)


def squad(
    split: Literal["train", "dev"], data: Path = DATA, *, documents: Literal["context", "article"] = "context"
) -> QuestionSet:
    """Return the answerable questions of a SQuAD split; each context, or each article, is a document."""
    rows = [row for row in read_squad(data) if row["split"] == split]
    places: dict[str, tuple[int, int]] = {}
    texts: list[list[str]] = []
    groups: list[str] = []
    numbers: dict[str, int] = {}
    for row in rows:
        context, article = row["context"], row["article"]
        if context in places:
            continue
        key = context if documents == "context" else article
        number = numbers.setdefault(key, len(numbers))
        if number == len(texts):
            texts.append([])
            groups.append(article)
        start = sum(len(text) + 2 for text in texts[number])
        places[context] = (number, start)
        texts[number].append(context)
    questions = []
    for row in rows:
        if row["answers"]:
            number, offset = places[row["context"]]
            answer = row["answers"][0]
            start = offset + answer["start"]
            questions.append(
                BenchQuestion(row["question"], number, ((start, start + len(answer["text"])),), row["article"])
            )
    made = tuple(
        BenchDocument(f"{group} {number}", group, "\n\n".join(parts))
        for number, (group, parts) in enumerate(zip(groups, texts, strict=True))
    )
    return QuestionSet(f"squad {split}", made, tuple(questions), held_share=1.0)


def read_squad(data: Path = DATA) -> list[dict]:
    """Return the rows of the SQuAD file, both splits."""
    with gzip.open(data / "qa" / "squad.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]
