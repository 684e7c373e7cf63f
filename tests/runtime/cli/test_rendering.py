"""How a turn looks on a terminal."""

from __future__ import annotations

import pytest

from satchel.runtime.cli.rendering import place, render_turn
from satchel.runtime.cli.terminal import Terminal
from satchel.runtime.session.events import (
    Checked,
    Cited,
    Event,
    Finished,
    Progress,
    Retrieved,
    Source,
    Thinking,
    Token,
    Usage,
    Warned,
)

GATE = Source(1, "gate.txt", None, 0, 36, "The flood gate\ncloses at 3.2 metres.", 0.9)
FUEL = Source(2, "handbook.pdf", 2, 0, 7, "Diesel.", 0.5)


def finished(**changes) -> Finished:
    values = {
        "reason": "answered",
        "answer": "",
        "found": True,
        "mode": "quote",
        "model": "reader",
        "usage": Usage(),
        "timings_ms": {"total": 250.0},
    }
    return Finished(**{**values, **changes})


def rendered(capsys: pytest.CaptureFixture[str], *events: Event) -> tuple[str, str]:
    render_turn(events, Terminal())
    said = capsys.readouterr()
    return said.out, said.err


def test_the_answer_its_sources_and_who_spoke(capsys):
    said, noted = rendered(
        capsys,
        Progress("searching your files", 0, None),
        Retrieved((GATE, FUEL)),
        Token("3.2 "),
        Token("metres"),
        Cited(0, 10, GATE),
        Cited(0, 10, FUEL),
        Cited(0, 10, FUEL),
        finished(),
    )

    assert said == (
        "3.2 metres\n\n"
        "  [2] handbook.pdf, p. 2\n      “Diesel.”\n"
        "  [1] gate.txt\n      “The flood gate closes at 3.2 metres.”\n"
    )
    assert noted == "\nQuoted word for word from the files, 0.25 s; no language model spoke.\n"


def test_thinking_is_announced_once_and_not_shown(capsys):
    said, noted = rendered(
        capsys, Thinking("First, the moon"), Thinking(" pulls."), Token("It rises."), finished(mode="model")
    )

    assert said == "It rises.\n"
    assert noted.startswith("thinking …\n\n")
    assert "moon" not in said + noted


def test_warnings_are_notes(capsys):
    said, noted = rendered(capsys, Warned("passages-left-out", "Only 2 of 6 fit."), Token("x"), finished())

    assert said == "x\n"
    assert noted.startswith("note: Only 2 of 6 fit.\n")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"found": False}, "Looked up in the files, 0.25 s; no language model spoke."),
        ({"mode": "talk"}, "In the assistant's author's words; no language model spoke."),
        ({"reason": "cancelled"}, "Stopped after 0.2 s."),
        (
            {
                "mode": "model",
                "model": "starter",
                "usage": Usage(100, 0, 30, 512),
                "timings_ms": {"first_word": 400.0, "decode": 500.0, "total": 900.0},
            },
            "starter spoke: first word after 0.4 s, 60 tokens/s.",
        ),
        (
            {"mode": "model", "model": "starter", "reason": "length"},
            "starter spoke: first word after 0.0 s, 0 tokens/s (cut off at the token limit).",
        ),
    ],
)
def test_who_spoke_and_how_it_ended(capsys, changes, told):
    assert rendered(capsys, Token("x"), finished(**changes))[1] == f"\n{told}\n"


@pytest.mark.parametrize(
    ("page", "label", "shown"),
    [
        (None, "", "a.pdf"),
        (3, "", "a.pdf, p. 3"),
        (3, "12", "a.pdf, p. 12"),
        (3, "iv", "a.pdf, iv"),
        (1, "Sheet1", "a.pdf, Sheet1"),
    ],
)
def test_a_place_says_the_printed_label(page, label, shown):
    assert place(Source(1, "a.pdf", page, 0, 1, "x", 1.0, label)) == shown


def test_control_characters_of_files_and_models_are_made_visible(capsys):
    evil = Source(1, "a\x1b[2J.md", None, 0, 1, "text \x1b[31m red \u202e", 1.0)

    said, noted = rendered(
        capsys, Token("\x1b]0;title\x07"), Cited(0, 1, evil), Warned("x", "\x1b[2J"), finished(model="\x1b[2J")
    )

    assert "\x1b" not in said + noted
    assert "\u202e" not in said
    assert "\\u001b[2J" in said


def test_a_turn_without_an_end_is_a_bug(capsys):
    with pytest.raises(AssertionError, match="ends with Finished"):
        rendered(capsys, Token("x"))


def test_what_the_files_do_not_hold_is_named_below_the_answer(capsys):
    answer = "It closes at 5 metres. It is blue. It is a gate."

    _, noted = rendered(
        capsys,
        Retrieved((GATE, FUEL)),
        Token(answer),
        Checked(0, 22, "contradicted", (1,), ("5",)),
        Checked(23, 34, "not_found"),
        Checked(35, 48, "supported", (2,)),
        finished(mode="model", answer=answer),
    )

    assert "Checked: 1 of 3 statements stand in the files." in noted
    assert "not as in gate.txt (5): “It closes at 5 metres.”" in noted
    assert "not found in the passages: “It is blue.”" in noted
    assert "It is a gate" not in noted


def test_an_answer_that_could_not_be_checked_claims_no_check(capsys):
    _, noted = rendered(capsys, Token("Ja."), Checked(0, 3, "not_checked"), finished(mode="model", answer="Ja."))

    assert "Checked" not in noted
