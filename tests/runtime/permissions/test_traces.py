"""The broker against the reference monitor; `tests/bench/permissions/traces.py` runs 100,000 of these."""

from __future__ import annotations

import pytest
from helpers import reference_monitor as reference
from helpers.chat_traces import ChatTraces
from hypothesis import HealthCheck, settings


class TestTraces(ChatTraces.TestCase):
    settings = settings(
        max_examples=200,
        stateful_step_count=14,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, "allow"),
        ({"context": (reference.UNTRUSTED, None)}, "ask a"),
        ({"requests": {}}, "deny"),
        ({"allowed": []}, "ask grant"),
        ({"never": [("one", "")]}, "deny"),
    ],
)
def test_the_reference_monitor_says_what_design_says(change, verdict):
    state = {
        "requests": {"one": ["fs.write"]},
        "received": False,
        "context": (reference.USER, None),
        "now": 0.0,
        "allowed": [("one", "fs.write notes")],
        **dict.fromkeys(("never", "once", "standing"), ()),
        **dict.fromkeys(("typed", "links"), frozenset()),
    }
    call = {"tool": "one", "arguments": {}, "needs": ["fs.write notes/a"], "changes": True, "sends_to": [], "url": ""}

    assert reference.verdict({**state, **change}, call, {}) == verdict
