"""Small talk is a whole message or none at all, and is answered in the author's own words."""

from __future__ import annotations

import pytest

from satchel.runtime.session.small_talk import answer_small_talk, recognise_small_talk


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("hi", "greeting"),
        ("  Hello there!! ", "greeting"),
        ("GOOD MORNING", "greeting"),
        ("Hey again, everyone", "greeting"),
        ("Guten Tag.", "greeting"),
        ("thanks", "thanks"),
        ("Thank you so much for that!", "thanks"),
        ("Danke", "thanks"),
        ("How are you?", "greeting"),
        ("how's it going", "greeting"),
        ("bye 👋", "farewell"),
        ("Goodnight", "farewell"),
        ("Tschüss!", "farewell"),
        ("TSCHÜSS", "farewell"),
        ("help", "capabilities"),
        ("What can you do?", "capabilities"),
        ("who are you", "capabilities"),
        ("How can you help me, please?", "capabilities"),
    ],
)
def test_a_message_that_is_nothing_but_small_talk_is_recognised(message, kind):
    assert recognise_small_talk(message) == kind


@pytest.mark.parametrize(
    "message",
    [
        "",
        "?!",
        "👋",
        "hi, when does the harbour flood?",
        "thanks, and what about Tuesday?",
        "help me find the tide table",
        "what do you know about tides?",
        "what can you do with a sextant?",
        "high",
        "there",
        "please",
        "all",
        "hi " * 50 + "x",
    ],
)
def test_anything_more_is_a_question(message):
    assert recognise_small_talk(message) is None


def answered(kind: str, **changes: object) -> str:
    words = {
        "name": "Tide tutor",
        "description": "I know tides.",
        "greeting": "Ahoy!",
        "starters": ["When?", "Why?"],
        "file_count": 3,
    }
    return answer_small_talk(kind, **words | changes)


def test_a_greeting_is_the_authors_own_or_the_name():
    assert answered("greeting") == "Ahoy!"
    assert answered("greeting", greeting="") == "Hello. I am Tide tutor."


def test_what_it_can_do_is_its_description_its_files_and_its_starters():
    assert answered("capabilities") == (
        "I am Tide tutor. I know tides. I answer from 3 files, by quoting them with their place. "
        "You could ask: When? / Why?"
    )


def test_what_the_author_did_not_write_is_not_made_up():
    assert answered("capabilities", description="", starters=[], file_count=0) == "I am Tide tutor."
    assert "1 file, by" in answered("capabilities", file_count=1)


@pytest.mark.parametrize(("kind", "words"), [("thanks", "You are welcome."), ("farewell", "Goodbye.")])
def test_politeness_is_returned(kind, words):
    assert answered(kind) == words
