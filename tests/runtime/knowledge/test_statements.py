"""Which sentences may be quoted."""

from __future__ import annotations

import pytest

from satchel.runtime.knowledge.statements import statements

STATED = "The gate closes at noon."


def stated(text: str) -> list[str]:
    return [text[one.start : one.end] for one in statements(text)]


@pytest.mark.parametrize(
    "other",
    [
        "# The gate",
        "When does the gate close?",
        "Explain why the gate closes.",
        "Describe the gate and its keeper.",
        "Bell, T. “Discovering Neptune.”",
        "Smith, J. R. & Wu, K. (2012).",
        "“How I Found the Gate.”",
        "Watch a short video about the gate.",
        "You can browse the harbour's web page.",
        "See https://harbour.example/gate for more.",
        "| Boat | Fee |",
        "|------|-----|",
        "Opening hours",
    ],
)
def test_what_states_nothing_is_left_out(other):
    assert stated(f"{other}\n\n{STATED}") == [STATED]


@pytest.mark.parametrize(
    "said",
    [
        "Press the button for five seconds.",
        "“Stop,” he said.",
        "Jones, who left, came back.",
        "- four fenders",
        "| Sailing boat | 11 |",
        "Boat: Rowing boat; Fee in euros: 4",
        "潮汐来了。",
    ],
)
def test_steps_speech_items_and_rows_are_kept(said):
    assert stated(f"{said}\n\n{STATED}") == [said.removeprefix("- "), STATED]


def test_a_text_without_full_stops_is_taken_as_it_is():
    assert stated("tide comes at noon\n\ngate is closed") == ["tide comes at noon", "gate is closed"]


def test_a_long_sentence_is_one_though_a_footnotes_mark_ends_it():
    said = "The gate was closed for the first time in the year of the great flood.[citation needed]"

    assert stated(f"{said}\n\n{STATED}") == [said, STATED]


def test_a_text_of_questions_states_nothing():
    assert stated("Is it so? Why?") == []
