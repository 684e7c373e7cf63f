"""A turn's events, put together in the shape that `--json` promises."""

from __future__ import annotations

import json

import msgspec
import pytest

from satchel.runtime.session.events import (
    Checked,
    Cited,
    Finished,
    Progress,
    Retrieved,
    Source,
    Token,
    ToolFinished,
    Usage,
    Warned,
)
from satchel.runtime.session.result import collect_result

GATE = Source(1, "gate.txt", None, 0, 44, "The flood gate closes at 3.2 metres.", 0.9)
FUEL = Source(2, "handbook.pdf", 2, 7, 40, "Diesel is sold at the eastern pier.", 0.7, "ii")
ANSWER = "The gate closes at 3.2 metres. [1] Diesel is sold east. [2] Again east. [2]"


def finished(**changes) -> Finished:
    values = {
        "reason": "answered",
        "answer": ANSWER,
        "found": True,
        "mode": "model",
        "model": "starter",
        "usage": Usage(100, 40, 20, 2048),
        "timings_ms": {"search": 1.5, "total": 9.0},
        "message_id": "m",
    }
    return Finished(**{**values, **changes})


def test_it_has_exactly_the_keys_of_the_contract():
    events = [Progress("searching your files", 0, None), Retrieved((GATE, FUEL), 4), Token(ANSWER, -0.5)]
    events += [Cited(0, 34, GATE), Cited(35, 59, FUEL), Cited(60, 75, FUEL)]
    events += [Warned("history-left-out", "The oldest 2 exchanges no longer fit the window."), finished()]

    result = json.loads(msgspec.json.encode(collect_result(events, pack_id="abc")))

    assert result == {
        "answer": ANSWER,
        "found": True,
        "mode": "model",
        "grounded": None,
        "sources": [
            {"n": 2, "file": "handbook.pdf", "page": 2, "start": 7, "end": 40, "text": FUEL.text, "score": 0.7},
            {"n": 1, "file": "gate.txt", "page": None, "start": 0, "end": 44, "text": GATE.text, "score": 0.9},
        ],
        "tool_calls": [],
        "artefacts": [],
        "warnings": [{"kind": "history-left-out", "text": "The oldest 2 exchanges no longer fit the window."}],
        "model": "starter",
        "pack_id": "abc",
        "usage": {"prompt_tokens": 100, "cached_tokens": 40, "completion_tokens": 20, "context_tokens": 2048},
        "timings_ms": {"search": 1.5, "total": 9.0},
    }


def test_verdicts_are_counted_and_sentences_that_were_not_checked_have_none():
    checked = [
        Checked(0, 30, "supported", (1,)),
        Checked(31, 60, "supported", (2,)),
        Checked(61, 75, "contradicted", (1, 2)),
        Checked(76, 80, "not_found"),
        Checked(81, 90, "not_checked"),
    ]

    grounded = collect_result([*checked, finished()], pack_id="").grounded

    assert grounded is not None
    assert (grounded.supported, grounded.not_found, grounded.contradicted) == (2, 1, 1)
    assert [(entry.start, entry.verdict, entry.sources) for entry in grounded.sentences] == [
        (0, "supported", [1]),
        (31, "supported", [2]),
        (61, "contradicted", [1, 2]),
        (76, "not_found", []),
    ]


def test_an_answer_of_which_nothing_could_be_checked_has_no_grounding():
    assert collect_result([Checked(0, 4, "not_checked"), finished()], pack_id="").grounded is None


def test_tools_bring_their_calls_and_artefacts():
    call = {"name": "calculate", "arguments": {"expression": "1+1"}, "decision": "allow"}

    result = collect_result([ToolFinished(call, "2", ("plot.png",)), finished()], pack_id="")

    assert result.tool_calls == [{**call, "result": "2"}]
    assert result.artefacts == ["plot.png"]


@pytest.mark.parametrize(("spoken", "told"), [("model", "model"), ("quote", "quote"), ("talk", "quote")])
def test_the_mode_is_one_of_the_two_of_the_contract(spoken, told):
    assert collect_result([finished(mode=spoken)], pack_id="").mode == told
