"""Which passages are read for "What is …?"."""

from __future__ import annotations

import pytest
from helpers.bodies import of_texts

from satchel.runtime.knowledge.definitions import with_definitions
from satchel.runtime.knowledge.gate import Gate
from satchel.runtime.knowledge.search import Searcher

SPEAKING = [f"Pulsar pulsar number {number}, the Crab pulsar pulsar." for number in range(8)]
DEFINING = (
    "It turns fast, as a top does, and by today more than four thousand have been found. A pulsar is a spinning star."
)
SEARCHER = Searcher(of_texts({"stars.md": "\n\n".join([*SPEAKING, DEFINING])}), None, gate=Gate([], "off", None))


def read(question: str, k: int = 3) -> list[str]:
    return [hit.passage.text for hit in with_definitions(SEARCHER, SEARCHER.search(question, k)).hits]


def test_a_passage_that_says_what_the_thing_is_takes_the_last_ones_place():
    assert [hit.passage.text for hit in SEARCHER.search("What is a pulsar?", 3).hits] == SPEAKING[:3]
    assert read("What is a pulsar?") == [*SPEAKING[:2], DEFINING]


@pytest.mark.parametrize("question", ["How many pulsars are there?", "What is a quasar?"])
def test_other_questions_and_unknown_things_keep_what_was_found(question):
    assert read(question) == [hit.passage.text for hit in SEARCHER.search(question, 3).hits]


def test_no_further_than_five_times_the_wanted_number_is_looked():
    assert read("What is a pulsar?", k=1) == SPEAKING[:1]
