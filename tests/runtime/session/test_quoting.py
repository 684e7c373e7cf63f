"""Answers without a language model."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from satchel.runtime.knowledge.answers import FoundPassage, KnowledgeAnswer, Quotation
from satchel.runtime.project.folder import Project
from satchel.runtime.project.schema import Assistant
from satchel.runtime.session.assistant import from_project
from satchel.runtime.session.events import Cited, Event, Retrieved, Token
from satchel.runtime.session.prompt import NOT_IN_THE_FILES
from satchel.runtime.session.quoting import Spoken, passages_as_sources, quote, talk, without_files

TEXT = "The flood gate closes at 3.2 metres."
PASSAGE = FoundPassage("gate.txt", None, "", 10, 46, TEXT, 0.8, 4.0, 0.5)
QUOTATION = Quotation("gate.txt", None, "", 10, 46, TEXT, 35, 45, 0.7)


def played(turn: Generator[Event, None, Spoken]) -> tuple[list[Event], Spoken]:
    events: list[Event] = []
    while True:
        try:
            events.append(next(turn))
        except StopIteration as end:
            return events, end.value


def test_the_answer_is_the_span_and_the_source_its_sentence():
    events, spoken = played(quote(KnowledgeAnswer((PASSAGE,), 5, (QUOTATION,))))

    retrieved, token, cited = events
    assert retrieved == Retrieved(passages_as_sources((PASSAGE,)), 5)
    assert token == Token("3.2 metres")
    assert isinstance(cited, Cited)
    assert (cited.start, cited.end) == (0, len("3.2 metres"))
    assert (cited.source.n, cited.source.start, cited.source.end, cited.source.text) == (1, 10, 46, TEXT)
    assert (spoken.answer, spoken.found, spoken.reason, spoken.mode) == ("3.2 metres", True, "answered", "quote")


def test_further_quotations_are_further_sources_in_their_order():
    other = Quotation("handbook.pdf", 2, "ii", 0, 7, "Diesel.", 0, 6, 0.4)

    events, _ = played(quote(KnowledgeAnswer((PASSAGE,), 0, (QUOTATION, other))))

    sources = [event.source for event in events if isinstance(event, Cited)]
    assert [(source.n, source.file, source.page, source.page_label) for source in sources] == [
        (1, "gate.txt", None, ""),
        (2, "handbook.pdf", 2, "ii"),
    ]


def test_without_a_quotation_it_says_that_the_files_do_not_hold_the_answer():
    events, spoken = played(quote(KnowledgeAnswer((PASSAGE,), 0)))

    assert events[1:] == [Token(NOT_IN_THE_FILES)]
    assert (spoken.answer, spoken.found, spoken.reason) == (NOT_IN_THE_FILES, False, "not_found")


def test_without_files_it_says_so():
    events, spoken = played(without_files())

    assert events == [Token("I have no files to answer from, and no language model is in use.")]
    assert (spoken.found, spoken.mode) == (False, "talk")


def test_small_talk_is_in_the_authors_words():
    assistant = Assistant(id="0d5f1a52-8a3c-4d7e-9b1f-2c3d4e5f6a7b", name="Guide", greeting="Ahoy.", starters=["Gate?"])
    loaded = from_project(Project(Path("guide"), assistant, "", ()), None)

    assert played(talk("greeting", loaded, 3))[1].answer == "Ahoy."
    assert played(talk("capabilities", loaded, 3))[1].answer == (
        "I am Guide. I answer from 3 files, by quoting them with their place. You could ask: Gate?"
    )
