from __future__ import annotations

import json
from dataclasses import replace

import pytest

from satchel.runtime.permissions.broker import Allow, Ask, Deny, Rule, decide
from satchel.runtime.permissions.calls import Call, Effect, Situation
from satchel.runtime.permissions.capabilities import parse_capability, parse_requests
from satchel.runtime.permissions.grants import Choice, Grants, ticked
from satchel.runtime.permissions.labels import EVERYONE, LOWEST, RECEIVED_PACK, WEB, Label, only, typed_label
from satchel.runtime.permissions.standing import make_standing_approval

PLACE = "https://api.example"
OTHER = "https://other.example"
REQUESTS = parse_requests([("call", ["net.call api.example"]), ("fetch", ["net.fetch"]), ("write", ["fs.write notes"])])
GRANTED = ticked(REQUESTS)
TYPED = typed_label(GRANTED.named_places)
MINE = Situation(TYPED, received=False)
TAINTED = replace(MINE, context=TYPED.joined(WEB))
RECEIVED = Situation(TYPED.joined(RECEIVED_PACK), received=True)


def service(arguments=None, *, changes=False, places=(PLACE,)):
    return Call(
        "call",
        {"q": "x"} if arguments is None else arguments,
        (parse_capability("net.call api.example"),),
        Effect(changes_state=changes, sends_to=places),
    )


def page(url):
    return Call("fetch", {"url": url}, (parse_capability("net.fetch x.example"),), Effect(address=url))


WRITE = Call("write", {"text": "x"}, (parse_capability("fs.write notes/a"),), Effect(changes_state=True))


@pytest.mark.parametrize(
    ("call", "powers"),
    [
        (Call("unknown", {}), "the tool unknown"),
        (Call("call", {}, (parse_capability("net.call b.example"),)), "call the web service at https://b.example"),
        (Call("call", {}, (parse_capability("net.call"),)), "call web services anywhere"),
        (
            Call("write", {}, (parse_capability("fs.write notes/a"), parse_capability("fs.read notes/a"))),
            "change files in notes/a, read files in notes/a",
        ),
    ],
)
def test_what_the_pack_did_not_ask_for_is_denied_even_if_granted_and_answered(call, powers):
    everything = Grants(allowed=GRANTED.allowed, answered=frozenset({call.digest}))

    assert decide(REQUESTS, everything, call, {}, MINE) == Deny(
        f"the assistant did not ask for it when it was made: {powers}"
    )


def test_never_beats_always_once_and_standing():
    call = service()
    approval = make_standing_approval(name="daily", pack_id="p", call=call, until=9, now=0)
    grants = replace(GRANTED.with_answer(call, Choice.NEVER), answered=frozenset({call.digest}), standing=(approval,))

    decision = decide(REQUESTS, grants, call, {}, MINE)

    assert isinstance(decision, Deny)
    assert decision.why == "you said never: call the web service at https://api.example"


def test_nothing_is_allowed_that_nobody_allowed():
    decision = decide(REQUESTS, Grants(), service(), {"q": TYPED}, MINE)

    assert decision == Ask("you have not allowed it yet: call the web service at https://api.example", Rule.GRANT)


def test_what_is_granted_goes_ahead_while_nothing_untrusted_is_there():
    assert decide(REQUESTS, GRANTED, service(changes=True), {"q": LOWEST}, MINE) == Allow(
        "you allowed it, and nothing in this chat speaks against it", approval=""
    )
    assert isinstance(decide(REQUESTS, GRANTED, WRITE, {}, MINE), Allow)
    assert isinstance(decide(REQUESTS, GRANTED, page("https://x.example/"), {}, MINE), Allow)


@pytest.mark.parametrize("label", [TYPED, WEB, LOWEST, Label(TYPED.integrity, EVERYONE)])
def test_rule_a_a_change_of_state_is_never_automatic_with_anything_untrusted_in_the_chat(label):
    for call in (WRITE, service(changes=True)):
        decision = decide(REQUESTS, GRANTED, call, dict.fromkeys(call.arguments, label), TAINTED)

        why = "it changes something, and this chat holds text that other people may have written"
        assert decision == Ask(why, Rule.STATE)


def test_rule_a_does_not_hold_for_what_only_reads():
    assert isinstance(decide(REQUESTS, GRANTED, service(), {"q": TYPED}, TAINTED), Allow)


@pytest.mark.parametrize(
    ("label", "goes"),
    [
        (TYPED, True),
        (WEB, True),
        (Label(WEB.integrity, only(PLACE)), True),
        (Label(WEB.integrity, only(OTHER)), False),
        (LOWEST, False),
        (None, False),
    ],
)
@pytest.mark.parametrize("situation", [TAINTED, RECEIVED])
def test_rule_b_an_argument_goes_only_to_its_readers(label, goes, situation):
    decision = decide(REQUESTS, GRANTED, service(), {} if label is None else {"q": label}, situation)

    assert isinstance(decision, Allow if goes else Ask)
    if isinstance(decision, Ask):
        assert decision == Ask("it would tell https://api.example what it may not know (q)", Rule.READERS)


def test_rule_b_counts_each_argument_and_each_place():
    labels = {"a": WEB, "b": Label(WEB.integrity, only(PLACE)), "c": LOWEST, "d": LOWEST}

    decision = decide(REQUESTS, GRANTED, service(dict.fromkeys(labels, 1), places=(PLACE, OTHER)), labels, TAINTED)
    assert decision == Ask("it would tell https://api.example what it may not know (c, d)", Rule.READERS)
    del labels["c"], labels["d"]
    decision = decide(REQUESTS, GRANTED, service(dict.fromkeys(labels, 1), places=(PLACE, OTHER)), labels, TAINTED)
    assert decision == Ask("it would tell https://other.example what it may not know (b)", Rule.READERS)


def test_rule_b_says_nothing_of_a_call_that_tells_nothing():
    assert isinstance(decide(REQUESTS, GRANTED, service({}), {}, TAINTED), Allow)
    assert isinstance(decide(REQUESTS, GRANTED, service({}), {"unused": LOWEST}, TAINTED), Allow)


def test_rule_b_holds_for_the_place_of_an_address():
    url = "https://x.example/?q=secret"
    situation = replace(TAINTED, typed_addresses=frozenset({url}))

    decision = decide(REQUESTS, GRANTED, page(url), {"url": TYPED}, situation)

    assert decision == Ask("it would tell https://x.example what it may not know (url)", Rule.READERS)


def test_rule_c_an_address_that_only_the_model_chose_is_asked_about():
    url = "https://x.example/a"

    decision = decide(REQUESTS, GRANTED, page(url), {"url": WEB}, TAINTED)

    assert decision == Ask(f"nobody but the model chose the address {url}", Rule.ADDRESS)
    assert isinstance(decide(REQUESTS, GRANTED, page(url), {"url": WEB}, RECEIVED), Allow)


@pytest.mark.parametrize("how", ["typed_addresses", "search_links"])
def test_rule_c_passes_exactly_the_address_that_the_person_typed_or_the_search_found(how):
    situation = replace(TAINTED, **{how: frozenset({"https://x.example/a"})})

    assert isinstance(decide(REQUESTS, GRANTED, page("https://x.example/a"), {"url": WEB}, situation), Allow)
    assert isinstance(decide(REQUESTS, GRANTED, page("https://x.example/a?b"), {"url": WEB}, situation), Ask)


def test_rule_c_passes_a_place_that_a_grant_names():
    requests = parse_requests([("fetch", ["net.fetch x.example", "net.fetch"])])
    named = ticked(requests)

    assert isinstance(decide(requests, named, page("https://x.example/b"), {"url": WEB}, TAINTED), Allow)
    for url in ("https://x.example:444/", "http://x.example/", "https://y.x.example/", "no address"):
        decision = decide(requests, named, page(url), {"url": WEB}, TAINTED)
        assert isinstance(decision, Ask), url
        assert decision.rule is Rule.ADDRESS


def test_the_rule_holds_before_a_missing_grant_is_told():
    decision = decide(REQUESTS, Grants(), WRITE, {}, TAINTED)

    assert isinstance(decision, Ask)
    assert decision.rule is Rule.STATE


def test_a_yes_answers_exactly_one_call():
    asked = service({"q": "x"}, changes=True)
    grants = GRANTED.with_answer(asked, Choice.ONCE)

    assert decide(REQUESTS, grants, asked, {}, TAINTED) == Allow(
        "you said yes to it beforehand (once)", approval="once"
    )
    for other in (
        service({"q": "y"}, changes=True),
        service({"q": "x", "r": 1}, changes=True),
        service({"q": "x"}, changes=True, places=(OTHER,)),
        replace(asked, needs=()),
    ):
        assert isinstance(decide(REQUESTS, grants, other, {}, TAINTED), Ask)
    assert isinstance(decide(REQUESTS, grants.without_answer(asked), asked, {}, TAINTED), Ask)


def test_a_standing_approval_counts_as_the_asking():
    call = service({"q": "x"}, changes=True)
    approval = make_standing_approval(name="daily", pack_id="p", call=call, until=10, now=0)
    grants = Grants(standing=(approval,))

    decision = decide(REQUESTS, grants, call, {}, replace(TAINTED, now=9))
    assert decision == Allow("you said yes to it beforehand (daily)", approval="daily")
    assert isinstance(decide(REQUESTS, grants, call, {}, replace(TAINTED, now=10)), Ask)


@pytest.mark.parametrize(
    "arguments",
    [
        *({}, {"q": None}, {"q": [{"a": [1.5]}]}, {"q": "x" * 10**5}, {"q": "\ud800"}, {"q": 10**40}),
        *({"q": float("nan")}, json.loads('{"q": ' + "[" * 900 + "]" * 900 + "}")),
    ],
)
def test_it_decides_about_whatever_a_model_can_write(arguments):
    for situation in (MINE, TAINTED, RECEIVED):
        assert decide(REQUESTS, GRANTED, service(arguments), {}, situation).why
