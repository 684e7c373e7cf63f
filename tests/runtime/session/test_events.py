"""Events are values: frozen, named in their JSON, and the same again after a trip through it."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from satchel.runtime.session import events as ev

SOURCE = ev.Source(1, "tides.pdf", 3, 10, 20, "High tide.", 0.75, page_label="iii")
EVENTS = (
    ev.Progress("loading the model", 1, None, seconds_left=2.5),
    ev.Retrieved((SOURCE,), below_gate=4),
    ev.Thinking("hm"),
    ev.Token("High", -0.25, (ev.Alternative("Low", -1.5),)),
    ev.ToolRequested({"name": "search"}, "ask"),
    ev.ApprovalNeeded("r1", {"name": "search", "arguments": {"q": "é"}}),
    ev.QuestionAsked("q1", "Which harbour?", ("Delft", "Hoorn")),
    ev.ToolFinished({"name": "search"}, "found", ("a.png",)),
    ev.Cited(0, 10, SOURCE),
    ev.Checked(0, 10, "supported", (1,)),
    ev.Warned("language", "not checked: German"),
    ev.Finished("answered", "High tide.", True, "quote", "reader", ev.Usage(1, 2, 3, 4), {"search": 1.5}, "m1"),
)


def test_there_is_a_sample_of_every_kind():
    assert [type(event) for event in EVENTS] == list(get_args(ev.Event))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_names_its_kind_in_json_and_comes_back_the_same(event):
    line = msgspec.json.encode(event)

    assert msgspec.json.decode(line)["event"] == type(event).__name__.lower()
    assert msgspec.json.decode(line, type=ev.Event) == event
    assert b"\n" not in line


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_cannot_be_changed(event):
    with pytest.raises(AttributeError):
        setattr(event, event.__struct_fields__[0], "other")
