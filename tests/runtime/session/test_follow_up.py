"""What is searched for when a question leans on the one before it."""

from __future__ import annotations

import pytest

from satchel.runtime.session.follow_up import search_text
from satchel.runtime.session.prompt import Exchange

PAST = (Exchange("Who is Wilma?", "The lock keeper."), Exchange("When does the gate close?", "At 3.2 metres."))


@pytest.mark.parametrize(
    "message",
    ["And why does it close?", "Who decides that?", "but when?", "what about it?", "How heavy are they?", "Why?"],
)
def test_a_short_question_that_leans_takes_the_one_before_it_along(message):
    assert search_text(message, PAST) == f"When does the gate close?\n{message}"


@pytest.mark.parametrize(
    "message",
    ["When does high water come?", "Is diesel sold here?", "Which item costs 4 euros?"],
)
def test_a_question_that_stands_by_itself_is_searched_alone(message):
    assert search_text(message, PAST) == message


def test_a_long_question_says_enough_even_with_a_pronoun():
    message = "Does the harbour office close its doors when the siren sounds three times?"

    assert search_text(message, PAST) == message


def test_the_first_question_of_a_chat_has_nothing_to_lean_on():
    assert search_text("And why does it close?", ()) == "And why does it close?"
