"""Questions whose passage does not answer them, made from SQuAD's answerable ones.

SQuAD's own unanswerable questions are few (3,915 in the train split) and 7 of its 30 articles have none.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from dataclasses import replace

from satchel.packs.models.reader.training.sources import Example

_LEAST_CHARACTERS = 200

_PIECE = re.compile(
    r"(?P<year>\b1\d{3}s?\b|\b20\d\ds?\b)|(?P<number>\b\d[\d,.]*\b)"
    r"|(?P<name>\b[A-Z][\w'\u2019-]+(?: [A-Z][\w'\u2019-]+)*)"
)
_WORDS = re.compile(r"[a-z0-9]{3,}")


def other_passage(answerable: list[Example], count: int, rng: random.Random) -> list[Example]:
    """Ask a question of the passage of its article that shares the most words with it among a few, its own left out."""
    passages: defaultdict[str, set[str]] = defaultdict(set)
    for example in answerable:
        passages[example.article].add(example.context)
    listed = {article: sorted(contexts) for article, contexts in passages.items()}
    words = {context: set(_WORDS.findall(context.lower())) for contexts in listed.values() for context in contexts}
    frequency = Counter(word for found in words.values() for word in found)
    made = []
    for example in rng.choices(answerable, k=count):
        asked = set(_WORDS.findall(example.question.lower()))
        answers = {example.context[a:b].lower() for a, b in example.spans}
        drawn = [
            c
            for c in rng.sample(listed[example.article], min(12, len(listed[example.article])))
            if c != example.context
        ]
        drawn = [c for c in drawn if not any(answer in c.lower() for answer in answers)]
        if drawn:
            nearest = max(drawn, key=lambda c: sum(1 / frequency[w] for w in asked & words[c]))
            made.append(replace(example, context=nearest, spans=()))
    return made


def swapped(answerable: list[Example], count: int, rng: random.Random) -> list[Example]:
    """Put another name, number or year of the same passage in the place of one in the question."""
    made: list[Example] = []
    for example in rng.sample(answerable, len(answerable)):
        if len(made) == count:
            break
        found = [m for m in _PIECE.finditer(example.question) if m.start() > 0]
        answers = " ".join(example.context[a:b] for a, b in example.spans)
        if not found:
            continue
        taken = rng.choice(found)
        others = {
            m.group() for m in _PIECE.finditer(example.context) if m.lastgroup == taken.lastgroup and m.start() > 0
        }
        others = {
            o
            for o in others
            if o not in example.question and o not in answers and o.lower() not in taken.group().lower()
        }
        others = {o for o in others if taken.group().lower() not in o.lower()}
        if others and taken.group() in example.context:
            question = example.question[: taken.start()] + rng.choice(sorted(others)) + example.question[taken.end() :]
            made.append(replace(example, question=question, spans=()))
    return made


def without_the_sentence(answerable: list[Example], count: int, rng: random.Random) -> list[Example]:
    """Take the answering sentence out of the passage."""
    made: list[Example] = []
    for example in rng.sample(answerable, len(answerable)):
        if len(made) == count:
            break
        start, end = example.spans[0]
        left = max(example.context.rfind(mark, 0, start) for mark in (". ", "? ", "! ")) + 1
        right = min((at for mark in (". ", "? ") if (at := example.context.find(mark, end)) >= 0), default=-2) + 1
        rest = example.context[:left] + (example.context[right:] if right > 0 else "")
        said_again = any(example.context[a:b].lower() in rest.lower() for a, b in example.spans)
        if len(rest) > _LEAST_CHARACTERS and not said_again:
            made.append(replace(example, context=rest.strip(), spans=()))
    return made
