"""Questions made by rule from plain paragraphs: a cheap first lesson in looking for an answer.

A span of a sentence (a name, a number, a date, a phrase) is taken out; the rest, cut to the words around it, some
dropped and with a question word in its place or in front, becomes the question (after Lewis et al. 2019, "Unsupervised
question answering by cloze translation"). Where the same name stands in a neighbouring paragraph, that one is asked
instead, so that the answer is found by what is said of it and not by its neighbours word for word (after Ram et al.
2021, "Splinter").
"""

# ruff: noqa: PLR2004 - shares and lengths that were chosen by looking at what comes out; a name would say no more

from __future__ import annotations

import itertools
import random
import re

from satchel.packs.models.reader.training.sources import Example

_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_DATE = (
    rf"(?:(?:{_MONTHS})(?: \d{{1,2}})?(?:,? \d{{4}})?|\d{{1,2}} (?:{_MONTHS})(?: \d{{4}})?"
    r"|\b(?:1[0-9]{3}|20[0-2]\d)s?\b)"
)
_NUMBER = r"(?:[$€£]\s?)?\b\d[\d,]*(?:\.\d+)?(?:\s?(?:%|percent|million|billion|trillion))?"
_NAME = r"\b[A-Z][\w'\u2019.-]*[\w](?:(?: (?:of|the|de|von|van|and|du|la) | )[A-Z][\w'\u2019.-]*[\w])*"
_PIECE = re.compile(rf"(?P<date>{_DATE})|(?P<number>{_NUMBER})|(?P<name>{_NAME})")
_WORD = re.compile(r"[^\W\d_][\w'\u2019-]*")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[\"“(]?[A-Z])")
_PLACE_BEFORE = frozenset({"in", "at", "from", "near", "to", "across", "throughout"})
_STOP_LIST = """
the a an of to in on at by for with from as is are was were be been being and or but not that this these those it its
he she they his her their them who which what where when there here has have had do does did will would can could may
might must should than then so such also more most many much some any all each both other into over under between
through during before after about against if because while although however only very one two we you i our your my no
nor up out off just like even often called known made used first new
"""
_STOP = frozenset(_STOP_LIST.split())


def questions_from(paragraphs: list[str], count: int, rng: random.Random) -> list[Example]:
    """Return `count` questions (fewer if the text runs out), about a third asked of a neighbouring paragraph."""
    examples: list[Example] = []
    places = [rng.randrange(len(paragraphs)) for _ in range(count * 3)]
    for place in places:
        if len(examples) >= count:
            break
        made = _question(paragraphs, place, rng)
        if made is not None:
            examples.append(made)
    return examples


def _question(paragraphs: list[str], place: int, rng: random.Random) -> Example | None:
    paragraph = paragraphs[place]
    if len(paragraph) < 350 and place + 1 < len(paragraphs):
        paragraph = f"{paragraph} {paragraphs[place + 1]}"
    paragraph = paragraph[:800].rsplit(" ", 1)[0]
    sentences = _sentences(paragraph)
    if not sentences:
        return None
    start, end = rng.choice(sentences)
    candidates = _candidates(paragraph, start, end)
    if not candidates:
        return None
    kind, left, right = rng.choice(candidates)
    question = _ask(paragraph[start:left], paragraph[left:right], paragraph[right:end], kind, rng)
    if question is None:
        return None
    answer = paragraph[left:right]
    if kind == "name" and rng.random() < 0.6:
        for step in rng.sample((-4, -3, -2, -1, 1, 2, 3, 4), 8):
            other = paragraphs[(place + step) % len(paragraphs)][:800]
            spans = _every(answer, other)
            if spans and _shares_words(question, other, answer):
                return Example(question, other, spans, "recurring", every_span_counts=True)
    if rng.random() < 0.12:
        rest = f"{paragraph[:start]}{paragraph[end:]}".strip()
        return Example(question, rest, (), "cloze") if len(rest) > 120 and answer not in rest else None
    return Example(question, paragraph, ((left, right),), "cloze")


def _sentences(text: str) -> list[tuple[int, int]]:
    borders = [0, *(m.end() for m in _SENTENCE_END.finditer(text)), len(text)]
    return [(a, b) for a, b in itertools.pairwise(borders) if 50 <= b - a <= 350]


def _candidates(text: str, start: int, end: int) -> list[tuple[str, int, int]]:
    found = []
    for match in _PIECE.finditer(text, start, end):
        kind = match.lastgroup or ""
        if kind == "name" and match.start() == start and " " not in match.group():
            continue
        if match.group().lower() not in _STOP:
            found.append((kind, match.start(), match.end()))
    taken = [(a, b) for _, a, b in found]
    run: list[re.Match[str]] = []
    phrases = []
    for word in [*_WORD.finditer(text, start, end), None]:
        joined = word is not None and run and text[run[-1].end() : word.start()] == " "
        plain = word is not None and word.group().lower() not in _STOP and word.group().islower()
        if plain and (joined or not run):
            run.append(word)
            continue
        if 1 <= len(run) <= 4 and run[-1].end() - run[0].start() >= 5:
            phrases.append(("phrase", run[0].start(), run[-1].end()))
        run = [word] if plain else []
    phrases = [p for p in phrases if not any(a < p[2] and p[1] < b for a, b in taken)]
    return found + phrases[: max(1, len(found))]


def _ask(before: str, answer: str, after: str, kind: str, rng: random.Random) -> str | None:
    left, right = before.split()[-rng.randint(6, 14) :], after.split()[: rng.randint(4, 12)]
    if len(left) + len(right) < 5:
        return None
    last = left[-1].lower() if left else ""
    following = re.sub(r"\W", "", right[0].lower()) if right else ""
    if kind == "date":
        wh = (
            rng.choice(("when", "what year", "in what year")) if len(answer) == 4 else rng.choice(("when", "what date"))
        )
        if wh != "what year" and last in {"in", "on"}:
            left.pop()
    elif kind == "number":
        money = answer[0] in "$€£"
        wh = (
            "how much"
            if money
            else "how many"
            if following.endswith("s")
            else rng.choice(("what", "how many", "how much"))
        )
        if "%" in answer or "percent" in answer:
            wh = "what percentage"
    elif kind == "name":
        wh = rng.choice(("who", "what", "which")) if answer.count(" ") == 1 else rng.choice(("what", "who", "which"))
        if last in _PLACE_BEFORE and rng.random() < 0.6:
            wh = "where"
            left.pop()
    else:
        wh = rng.choice(("what", "what", "which"))
    left = [w for w in left if rng.random() > 0.12]
    right = [w for w in right if rng.random() > 0.12]
    if not left or rng.random() < 0.4:
        words = [*left, wh, *right]
    elif rng.random() < 0.5:
        words = [wh, *left, *right]
    else:
        words = [wh, *right, *left]
    return " ".join(words).rstrip(" .,;:").strip() + "?"


def _every(answer: str, text: str) -> tuple[tuple[int, int], ...]:
    return tuple((m.start(), m.end()) for m in re.finditer(rf"\b{re.escape(answer)}\b", text))


def _shares_words(question: str, passage: str, answer: str) -> bool:
    asked = {w.lower() for w in _WORD.findall(question)} - _STOP - {w.lower() for w in answer.split()}
    there = {w.lower() for w in _WORD.findall(passage)}
    return len(asked & there) >= 2
