from __future__ import annotations

from dataclasses import replace

import pytest

from satchel.runtime.permissions.broker import Allow, Ask, decide
from satchel.runtime.permissions.calls import Call, Effect, Situation
from satchel.runtime.permissions.capabilities import parse_capability, parse_requests
from satchel.runtime.permissions.grants import ticked
from satchel.runtime.permissions.labels import LOWEST, RECEIVED_PACK, WEB, Integrity, Label, only, typed_label
from satchel.runtime.permissions.plan import Plan, plan_calls

REQUESTS = parse_requests([("send", ["net.call api.example"])])
GRANTS = ticked(REQUESTS)
BEFORE = Situation(typed_label(GRANTS.named_places), received=False)
AFTER = replace(BEFORE, context=BEFORE.context.joined(WEB), now=5.0)


def send(body):
    return Call(
        "send",
        {"to": "Alice", "body": body},
        (parse_capability("net.call api.example"),),
        Effect(changes_state=True, sends_to=("https://api.example",)),
    )


def decided(plan, call):
    arguments, situation = plan.judged(call, dict.fromkeys(call.arguments, LOWEST), AFTER)
    return decide(REQUESTS, GRANTS, call, arguments, situation)


def test_a_planned_call_is_the_persons_whatever_came_in_later_and_each_other_one_is_not():
    plan = plan_calls([send("see you at 10")], BEFORE)

    assert isinstance(decided(plan, send("see you at 10")), Allow)
    assert isinstance(decided(plan, send("see you at 11")), Ask)
    assert isinstance(decided(Plan(BEFORE), send("see you at 10")), Ask)


def test_a_call_goes_as_often_as_it_was_planned():
    plan = plan_calls([send("a"), send("b"), send("a")], BEFORE)

    plan = plan.without(send("a"))
    assert plan.holds(send("a"))
    assert plan.holds(send("b"))
    plan = plan.without(send("a"))
    assert not plan.holds(send("a"))
    assert plan.holds(send("b"))
    assert plan.without(send("c")) == plan
    assert plan.without(send("a")) == plan


@pytest.mark.parametrize("context", [LOWEST, WEB, RECEIVED_PACK, Label(Integrity.PACK, only())])
def test_what_saw_more_than_the_persons_own_words_plans_nothing(context):
    assert plan_calls([send("a")], replace(BEFORE, context=context)).digests == ()


def test_a_plan_does_not_stop_the_clock_and_keeps_what_it_saw():
    plan = plan_calls([send("a")], BEFORE)

    labels, situation = plan.judged(send("a"), {}, AFTER)
    assert situation == replace(BEFORE, now=5.0)
    assert labels == {"to": BEFORE.context, "body": BEFORE.context}
    assert plan.judged(send("b"), {"to": WEB}, AFTER) == ({"to": WEB}, AFTER)
