from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from satchel.runtime.permissions.calls import Call, Effect
from satchel.runtime.permissions.errors import StandingApprovalError
from satchel.runtime.permissions.standing import MOST_FREE_CHARACTERS, StandingApproval, make_standing_approval

CALL = Call(
    "mail", {"to": "me@a.org", "body": "hello", "n": 1}, effect=Effect(sends_to=("https://b.org", "https://a.org"))
)


def made(**changed):
    return make_standing_approval(**{"name": "daily", "pack_id": "p", "call": CALL, "until": 100, "now": 0, **changed})


def with_arguments(**changed):
    return replace(CALL, arguments={**CALL.arguments, **changed})


def test_it_covers_exactly_the_call_until_its_end():
    approval = made()

    assert approval.covers(CALL, 99.9)
    assert approval.covers(CALL, 100) is False
    assert approval.covers(replace(CALL, effect=Effect(sends_to=("https://a.org", "https://b.org"))), 0)
    for other in (
        replace(CALL, tool="other"),
        replace(CALL, effect=Effect(sends_to=("https://a.org",))),
        replace(CALL, effect=Effect(sends_to=CALL.effect.sends_to, address="https://a.org/x")),
        with_arguments(body="other"),
        with_arguments(more=1),
        with_arguments(n=True),
        with_arguments(n=1.0),
        replace(CALL, arguments={"to": "me@a.org", "body": "hello"}),
    ):
        assert approval.covers(other, 0) is False


def test_one_argument_may_be_free_up_to_its_length():
    approval = made(free="body", characters=5)

    assert approval.arguments == {"to": "me@a.org", "n": 1}
    assert approval.covers(with_arguments(body=""), 0)
    assert approval.covers(with_arguments(body="12345"), 0)
    assert approval.covers(with_arguments(body="123456"), 0) is False
    assert not approval.covers(with_arguments(body=12345), 0)
    assert not approval.covers(with_arguments(body=None), 0)
    assert not approval.covers(with_arguments(to="you@a.org"), 0)
    assert not approval.covers(replace(CALL, arguments={"to": "me@a.org", "n": 1}), 0)


def test_an_address_is_exact():
    call = Call("web", {"url": "https://a.org/x"}, effect=Effect(address="https://a.org/x"))
    approval = made(call=call, free="url", characters=100)

    assert approval.covers(call, 0)
    assert not approval.covers(replace(call, effect=Effect(address="https://a.org/y")), 0)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"name": "Daily mail"}, "small letters"),
        ({"name": ""}, "small letters"),
        ({"name": "a" * 65}, "small letters"),
        ({"name": "once"}, "single request"),
        ({"until": 0}, "no date to come"),
        ({"until": float("nan")}, "no date to come"),
        ({"until": float("inf")}, "no date to come"),
        ({"free": "missing", "characters": 5}, "no text"),
        ({"free": "n", "characters": 5}, "no text"),
        ({"free": "body", "characters": 0}, "limit of 1 to 2000"),
        ({"free": "body", "characters": MOST_FREE_CHARACTERS + 1}, "limit of 1 to 2000"),
    ],
)
def test_one_that_is_too_wide_or_unclear_is_not_made(changed, reason):
    with pytest.raises(StandingApprovalError, match=reason) as caught:
        made(**changed)

    assert caught.value.exit_code == 53


def test_what_is_wrong_is_said_in_whole_sentences():
    sentences = {
        "its end is no date to come": {"until": 0},
        'the name "a b" is not of small letters, digits and -': {"name": "a b"},
        '"once" is the name of an answer to a single request': {"name": "once"},
    }
    for sentence, changed in sentences.items():
        with pytest.raises(StandingApprovalError) as caught:
            made(**changed)
        assert caught.value.message == f"A standing approval cannot be made like that: {sentence}."


def test_what_is_not_said_is_nothing():
    assert made().address == ""
    assert StandingApproval(name="a", pack_id="p", tool="t", destinations=(), arguments={}, until=1.0).address == ""
    with pytest.raises(StandingApprovalError):
        made(free="body")


def test_the_limits_themselves_can_be_used():
    assert made(free="body", characters=1).covers(with_arguments(body="x"), 0)
    assert made(free="body", characters=MOST_FREE_CHARACTERS).free.characters == 2000
    assert made(name="a" * 64, until=0.5).covers(CALL, 0)


def test_it_survives_its_file():
    for approval in (made(), made(free="body", characters=5)):
        assert msgspec.json.decode(msgspec.json.encode(approval), type=StandingApproval) == approval


def test_it_covers_one_function_of_a_tool_and_no_other():
    read = Call("actions", {"id": 7}, function="get_order")
    approval = make_standing_approval(name="daily", pack_id="a" * 64, call=read, until=9, now=0)

    assert approval.covers(read, 1)
    assert not approval.covers(Call("actions", {"id": 7}, function="delete_order"), 1)
