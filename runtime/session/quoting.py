"""Answers without a language model: exact quotes with their place, or the plain word that there is none."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Literal

from satchel.runtime.knowledge.answers import FoundPassage, KnowledgeAnswer, Quotation
from satchel.runtime.session.assistant import LoadedAssistant
from satchel.runtime.session.events import Cited, Event, FinishReason, Retrieved, Source, Token, Usage
from satchel.runtime.session.prompt import NOT_IN_THE_FILES
from satchel.runtime.session.small_talk import SmallTalk, answer_small_talk

READER = "reader"
"""The name by which answers without a language model say who spoke."""

_NO_TOKENS = Usage()
_NO_FILES = "I have no files to answer from, and no language model is in use."


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was said in a turn, and how it ended."""

    answer: str
    found: bool
    reason: FinishReason
    mode: Literal["quote", "model", "talk"]
    usage: Usage = _NO_TOKENS


def passages_as_sources(passages: Sequence[FoundPassage]) -> tuple[Source, ...]:
    """Number the passages of a search from 1, best first."""
    return tuple(
        Source(
            number,
            found.file,
            found.page,
            found.start,
            found.end,
            found.text,
            found.score,
            found.page_label,
            from_picture=bool(found.picture_pages),
        )
        for number, found in enumerate(passages, 1)
    )


def quote(known: KnowledgeAnswer) -> Generator[Event, None, Spoken]:
    """Answer by the best quotation's exact span; further quotations stay as sources, in falling order of use."""
    yield Retrieved(passages_as_sources(known.passages), known.below_gate)
    if not known.quotations:
        yield Token(NOT_IN_THE_FILES)
        return Spoken(NOT_IN_THE_FILES, found=False, reason="not_found", mode="quote")
    answer = known.quotations[0].answer
    yield Token(answer)
    for number, quotation in enumerate(known.quotations, 1):
        yield Cited(0, len(answer), _source(number, quotation))
    return Spoken(answer, found=True, reason="answered", mode="quote")


def talk(kind: SmallTalk, assistant: LoadedAssistant, file_count: int) -> Generator[Event, None, Spoken]:
    """Answer small talk from the author's own words."""
    answer = answer_small_talk(
        kind,
        name=assistant.name,
        description=assistant.description,
        greeting=assistant.greeting,
        starters=assistant.starters,
        file_count=file_count,
    )
    yield Token(answer)
    return Spoken(answer, found=True, reason="answered", mode="talk")


def without_files() -> Generator[Event, None, Spoken]:
    """Say that there is nothing to quote from."""
    yield Token(_NO_FILES)
    return Spoken(_NO_FILES, found=False, reason="not_found", mode="talk")


def _source(number: int, quotation: Quotation) -> Source:
    return Source(
        number,
        quotation.file,
        quotation.page,
        quotation.start,
        quotation.end,
        quotation.text,
        quotation.score,
        quotation.page_label,
        from_picture=quotation.from_picture,
    )
