"""The training questions: `train-core` rows read into one shape.

Left out on purpose: SQuAD's `dev` articles (also where QAMR, SelQA or the text files touch them by title),
and every paragraph that stands in the astronomy sample.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HELD_OUT_ARTICLES = frozenset({"Construction", "Fresno, California", "Private school"})
"""Articles of SQuAD's `train` split that choices (and the calibration) are made on."""

_DEV_TITLES = re.compile(
    r"super bowl|warsaw|huguenot|islamis|prime number|harvard|victoria and albert|sky \(united", re.IGNORECASE
)
_EMPTY_LIST = """
this that these those it its he she they him her his their them who which what where when there here one ones i we you
my our your a an the and or
"""
_EMPTY_ANSWER = frozenset(_EMPTY_LIST.split())
_PENN_BRACKETS = {
    "-LRB-": "(",
    "-RRB-": ")",
    "-LSB-": "[",
    "-RSB-": "]",
    "-LCB-": "{",
    "-RCB-": "}",
    "``": '"',
    "''": '"',
}
_SHINGLE = 48
"""Letters in a row by which a paragraph is found in the astronomy sample."""
_ASKED_OF_OTHERS = 0.12
"""Share of QAMR's questions that are also asked of sentences that do not answer them."""
_CLINGS_LEFT = frozenset(".,;:!?)]}%") | {"'s", "n't", "'re", "'ve", "'ll", "'d", "'m", "'"}
_CLINGS_RIGHT = frozenset("([{$")


@dataclass(frozen=True, slots=True)
class Example:
    """One question on one passage. `spans` are character ranges that answer it; none: the passage does not."""

    question: str
    context: str
    spans: tuple[tuple[int, int], ...]
    article: str
    every_span_counts: bool = False
    """True: the likelihoods of all spans add up. False: one is drawn each time (annotators' variants)."""


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a `.jsonl.gz` file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def read_squad(data: Path, split: str) -> list[Example]:
    """Return the rows of one split ("train" or "dev") of the SQuAD extract."""
    return [
        Example(
            question=row["question"].strip(),
            context=row["context"],
            spans=tuple((a["start"], a["start"] + len(a["text"])) for a in row["answers"]),
            article=row["article"],
        )
        for row in read_rows(data / "qa" / "squad.jsonl.gz")
        if row["split"] == split
    ]


def read_qamr(data: Path, rng: random.Random) -> list[Example]:
    """Return QAMR's questions on one to four sentences: its own, and distractors from nearby rows.

    Penn Treebank tokens become running text. Answers that are a bare pronoun or article teach nothing and are left out.
    """
    rows = list(read_rows(data / "qa" / "qamr.jsonl.gz"))
    sentences: dict[str, tuple[str, list[int]]] = {}
    for row in rows:
        if row["context"] not in sentences:
            sentences[row["context"]] = running_text(row["context"])
    order = list(sentences)
    place = {context: number for number, context in enumerate(order)}
    examples = []
    for row in rows:
        answer = row["answers"][0]
        if answer["text"].lower() in _EMPTY_ANSWER or _DEV_TITLES.search(row["context"]):
            continue
        text, moved = sentences[row["context"]]
        start, end = moved[answer["start"]], moved[answer["start"] + len(answer["text"]) - 1] + 1
        around = rng.choice((0, 0, 1, 2, 3))
        here = place[row["context"]]
        others = [
            sentences[order[(here + step) % len(order)]][0] for step in rng.sample((-4, -3, -2, -1, 1, 2, 3, 4), around)
        ]
        before = rng.randint(0, around)
        head = "".join(f"{other} " for other in others[:before])
        context = " ".join([head + text, *others[before:]])
        question = row["question"].strip()
        spans = ((len(head) + start, len(head) + end),)
        examples.append(Example(question, context, spans, "qamr"))
        if others and rng.random() < _ASKED_OF_OTHERS:
            examples.append(Example(question, " ".join(others), (), "qamr"))
    return examples


def read_selqa(data: Path) -> list[Example]:
    """Return SelQA's questions; the whole of each answering sentence counts, so a span in it is trained by its mass."""
    examples = []
    for row in read_rows(data / "qa" / "selqa.jsonl.gz"):
        if _DEV_TITLES.search(row["article"]):
            continue
        context, spans = "", []
        for number, sentence in enumerate(row["sentences"]):
            start = len(context)
            context += sentence + " "
            if number in row["answer_sentences"]:
                spans.append((start, start + len(sentence)))
        examples.append(
            Example(row["question"].strip(), context.strip(), tuple(spans), "selqa", every_span_counts=True)
        )
    return examples


def read_paragraphs(data: Path, name: str, *, least: int = 200) -> list[str]:
    """Return the paragraphs of `text/NAME.txt.gz` of at least `least` characters, the astronomy sample's left out."""
    sample = "".join(_letters(path.read_text(encoding="utf-8")) for path in sorted((data / "sample").rglob("*.md")))
    in_sample = {sample[at : at + _SHINGLE] for at in range(len(sample) - _SHINGLE)}
    with gzip.open(data / "text" / f"{name}.txt.gz", "rt", encoding="utf-8") as file:
        paragraphs = file.read().split("\n\n")
    kept = []
    for paragraph in paragraphs:
        text = re.sub(r"\[(?:citation needed|\d+)\]", "", " ".join(paragraph.split()))
        if len(text) < least or _DEV_TITLES.search(text) or "astronom" in text.lower():
            continue
        letters = _letters(text)
        if letters[:_SHINGLE] in in_sample or letters[-_SHINGLE:] in in_sample:
            continue
        kept.append(text)
    return kept


def running_text(tokens: str) -> tuple[str, list[int]]:
    """Turn space-separated Penn Treebank tokens into text; return it with the new place of each old character."""
    text, moved, quoted, glue = "", [], False, True
    for token in tokens.split(" "):
        shown = _PENN_BRACKETS.get(token, token)
        closing = shown == '"' and quoted
        if not (glue or closing or shown in _CLINGS_LEFT):
            text += " "
        moved += [len(text) + min(k, max(0, len(shown) - 1)) for k in range(len(token))] + [len(text) + len(shown)]
        text += shown
        glue = shown in _CLINGS_RIGHT or (shown == '"' and not quoted)
        if shown == '"':
            quoted = not quoted
    return text, moved


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
