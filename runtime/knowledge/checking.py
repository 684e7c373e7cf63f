"""Which sentences of a language model's answer its passages hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from satchel.runtime.knowledge.answers import AnswerCheck, CheckedSentence
from satchel.runtime.knowledge.language import detect_language
from satchel.runtime.knowledge.language_names import language_name
from satchel.runtime.knowledge.reader.grounded import GroundednessCheck, Verdict
from satchel.runtime.knowledge.sentences import SentenceKind, split_sentences

_NO_STATEMENT = re.compile(r"```.*?(?:```|\Z)|\[\d{1,3}(?:\s*[,;]\s*\d{1,3})*\]", re.DOTALL)
"""Code, and the marks of citations."""
_MEASURED_IN = "en"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage that was shown to the model."""

    text: str
    language: str
    """ISO 639-1; empty where it is not known."""


def check_answer(answer: str, passages: Sequence[Evidence]) -> AnswerCheck:
    """Lay each sentence of an English answer beside the passages; offsets are characters of `answer`.

    Headings, code, questions and sentences that state nothing (`GroundednessCheck.states_something`) are left out.
    There is no verdict in languages that the check was not measured on, and no "not found" where a passage in one of
    them might hold it.
    """
    if (spoken := detect_language(answer)) not in {_MEASURED_IN, ""}:
        return AnswerCheck((), language_name(spoken))
    readable = [number for number, one in enumerate(passages) if one.language in {_MEASURED_IN, ""}]
    foreign = next((one.language for one in passages if one.language not in {_MEASURED_IN, ""}), "")
    if not readable:
        return AnswerCheck((), language_name(foreign) if foreign else "")
    check = GroundednessCheck()
    texts = [passages[number].text for number in readable]
    prose = _NO_STATEMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), answer)
    checked = []
    for unit in split_sentences(prose):
        sentence = prose[unit.start : unit.end]
        if unit.kind is SentenceKind.HEADING or sentence.lstrip().startswith("#") or sentence[-1] in "?:":
            continue
        if not check.states_something(sentence):
            continue
        found = check.check(sentence, texts)
        is_open = found.verdict is Verdict.NOT_FOUND
        checked.append(
            CheckedSentence(
                start=unit.start,
                end=unit.end,
                verdict="not_checked" if is_open and foreign else found.verdict.value,
                passage=None if is_open or found.passage is None else readable[found.passage],
                differing=found.differing,
            )
        )
    return AnswerCheck(tuple(checked), language_name(foreign) if foreign else "")
