"""Tools on a terminal: what a person sees, and how they answer."""

from __future__ import annotations

import io

import pytest

from satchel.runtime.cli.rendering import render_turn
from satchel.runtime.cli.terminal import Terminal
from satchel.runtime.cli.tool_prompts import show_tool_event
from satchel.runtime.session.events import (
    ApprovalNeeded,
    Finished,
    QuestionAsked,
    Token,
    ToolFinished,
    ToolRequested,
    Usage,
)

CALL = {"name": "web_fetch", "arguments": {"address": "https://example.org/a"}}
REQUEST = ApprovalNeeded(
    "r1",
    {
        "tool": "web_fetch",
        "arguments": [{"name": "address", "text": "https://example.org/\\u202ea", "leaves": True, "secret": False}],
        "destinations": ["https://example.org"],
        "powers": ["read web pages from example.org"],
        "why": "this chat holds text that other people may have written",
        "choices": ["once", "never"],
    },
)


def answered(
    monkeypatch: pytest.MonkeyPatch, event: ApprovalNeeded | QuestionAsked, typed: str
) -> list[tuple[str, str]]:
    """Show a question to a person who types this, and return what was decided."""
    decided: list[tuple[str, str]] = []
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    show_tool_event(event, Terminal(), lambda question, answer: decided.append((question, answer)))
    return decided


def test_a_request_shows_the_whole_call_where_it_goes_and_why(monkeypatch, capsys):
    answered(monkeypatch, REQUEST, "\n")

    shown = capsys.readouterr().err
    for part in (
        "web_fetch would do this",
        "address: https://example.org/\\u202ea",
        "goes to https://example.org",
        "leaves this computer: address",
        "read web pages from example.org",
        "this chat holds text",
        "once, never; anything else allows nothing",
    ):
        assert part in shown
    assert "always" not in shown


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("once\n", "once"),
        (" NEVER \n", "never"),
        ("\n", "deny"),
        ("", "deny"),
        ("y\n", "deny"),
        ("always\n", "deny"),
    ],
)
def test_only_a_choice_that_is_offered_allows_anything(monkeypatch, typed, answer):
    assert answered(monkeypatch, REQUEST, typed) == [("r1", answer)]


def test_a_tools_question_takes_any_text(monkeypatch, capsys):
    assert answered(monkeypatch, QuestionAsked("q1", "Which harbour?", ("Delft", "Hoorn")), "Delft\n") == [
        ("q1", "Delft")
    ]
    assert "The assistant asks: Which harbour? (Delft / Hoorn)" in capsys.readouterr().err


def test_a_turn_shows_the_call_its_result_and_what_was_made(capsys):
    render_turn(
        [
            ToolRequested(CALL, "allow"),
            ToolFinished({**CALL, "decision": "allow"}, "A page.\nMore.", ("/tmp/plot.png",)),
            Token("Done."),
            Finished("answered", "Done.", True, "model", "tiny", Usage(), {"total": 5.0}),
        ],
        Terminal(),
    )

    said = capsys.readouterr()
    assert said.out.startswith("Done.")
    assert "web_fetch: address = 'https://example.org/a'" in said.err
    assert "= A page. More." in said.err
    assert "made /tmp/plot.png" in said.err
