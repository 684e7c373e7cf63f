"""What a question asks for, and which texts have a thing of that kind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.knowledge.cues import Asked, expected_answer


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("When was Pluto found?", Asked.DATE),
        ("In what year did the war end?", Asked.DATE),
        ("How many moons does Jupiter have?", Asked.NUMBER),
        ("What is the speed of light?", Asked.NUMBER),
        ("Who discovered Neptune?", Asked.NAME),
        ("Who is the lock keeper?", Asked.NAME),
        ("Where is the telescope?", Asked.NAME),
        ("Why is the sky blue?", Asked.REASON),
        ("What causes an eclipse?", Asked.REASON),
        ("What is a black hole?", Asked.DEFINITION),
        ("what's a pulsar", Asked.DEFINITION),
        ("wat is a supernova", Asked.DEFINITION),
        ("Who was Tycho Brahe?", Asked.DEFINITION),
        ("What does parsec mean?", Asked.DEFINITION),
        ("Tell me about the Big Bang.", Asked.DEFINITION),
        ("escape velocity", Asked.DEFINITION),
        ("What are the rings made of?", Asked.OTHER),
        ("How do tides work?", Asked.OTHER),
        ("What is the ratio of the mass of one to the other in the pair?", Asked.OTHER),
        ("", Asked.OTHER),
    ],
)
def test_a_question_tells_what_would_answer_it(question, kind):
    assert expected_answer(question).kind is kind


@pytest.mark.parametrize(
    ("question", "holding", "lacking"),
    [
        ("When was it found?", "It was found in 1930.", "It was found by chance."),
        ("When did it rain?", "It rained in the autumn.", "It rained for hours."),
        ("How many moons are there?", "There are two.", "There are moons."),
        ("How old is the tower?", "It is 300 years old.", "It has 300 steps."),
        ("How far is the island?", "It lies 12 km out.", "It has 12 houses."),
        ("How hot is the surface?", "It has 5800 K there.", "It has 5800 spots."),
        ("How fast does it go?", "It makes 40 knots.", "It has 40 seats."),
        ("How much does a boat cost?", "It costs 11 euros.", "In 2022 it had 6 masts."),
        ("What percentage is water?", "About 78% of it.", "About 78 litres of it."),
        ("Why does it flood?", "It floods because of the wind.", "It floods often."),
        ("Who keeps the lock?", "The keeper is Wilma Janssen.", "The keeper is kind."),
        ("What is a pulsar?", "A pulsar is a spinning star.", "The Crab pulsar is young."),
        ("What is a pulsar?", "They are now called pulsars.", "We saw a pulsar."),
        ("What are comets?", "Comets are small bodies of ice.", "Comets are not planets."),
        ("Who was Tycho Brahe?", "Tycho Brahe (1546–1601) was a nobleman.", "He met Tycho Brahe."),  # noqa: RUF001 - a real dash
        ("What is Hubble's law?", "It is now known as Hubble’s law.", "Hubble’s law and others."),  # noqa: RUF001 - a real apostrophe
    ],
)
def test_a_cue_tells_the_sentence_that_may_answer(question, holding, lacking):
    expected = expected_answer(question)

    assert expected.is_in(holding)
    assert not expected.is_in(lacking)


def test_a_name_that_the_question_says_itself_answers_nothing():
    assert not expected_answer("Who was keeper before Wilma Janssen?").is_in("The keeper is Wilma Janssen.")


def test_of_a_question_made_whole_by_the_one_before_the_last_line_asks():
    expected = expected_answer("When was the gate built?\nAnd who built it?")

    assert expected.kind is Asked.NAME
    assert not expected.is_in("The old Gate was built.")


def test_what_no_cue_is_known_for_is_in_no_text():
    assert not expected_answer("How do tides work?").is_in("Because of the Moon, in 1930, two of them.")


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_question_and_any_text_can_be_asked(question, text):
    assert expected_answer(question).is_in(text) in {True, False}
