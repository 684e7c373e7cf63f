from __future__ import annotations

import pytest

from satchel.runtime.permissions.calls import Call, Effect, canonical
from satchel.runtime.permissions.capabilities import parse_capability, parse_requests
from satchel.runtime.permissions.grants import Choice, Grant, Grants, grants_for, ticked

FETCH = parse_capability("net.fetch a.org")
ANYWHERE = parse_capability("net.fetch")
CALL = Call("web", {"url": "https://a.org/"}, (FETCH,), Effect(address="https://a.org/"))
CLOCK = Call("clock", {})


def test_nothing_said_is_nothing_allowed():
    assert not Grants().allow("web", [FETCH])
    assert not Grants().allow("clock", [])
    assert Grants().forbidding("web", [FETCH]) is None
    assert not Grants().named_places
    assert Grants().approval_of(CALL, 0) == ""


def test_a_grant_counts_for_its_tool_alone_and_for_all_that_a_call_needs():
    grants = Grants(allowed=frozenset({Grant("web", FETCH)}))

    assert grants.allow("web", [FETCH])
    assert grants.allow("web", [])
    assert not grants.allow("other", [FETCH])
    assert not grants.allow("other", [])
    assert not grants.allow("web", [FETCH, ANYWHERE])
    assert not Grants(allowed=frozenset({Grant("web")})).allow("web", [FETCH])


def test_a_tool_without_powers_is_granted_by_itself():
    assert Grants(allowed=frozenset({Grant("clock")})).allow("clock", [])


@pytest.mark.parametrize(
    ("forbidden", "needs", "denied"),
    [
        (Grant("web", ANYWHERE), [FETCH], True),
        (Grant("web", FETCH), [ANYWHERE], True),
        (Grant("web", FETCH), [parse_capability("net.fetch b.org")], False),
        (Grant("web", FETCH), [parse_capability("net.fetch b.org"), FETCH], True),
        (Grant("web", FETCH), [], False),
        (Grant("web"), [], True),
        (Grant("web"), [FETCH], True),
        (Grant("other", FETCH), [FETCH], False),
        (Grant("other"), [FETCH], False),
    ],
)
def test_never_forbids_what_lies_within_it_and_what_would_include_it(forbidden, needs, denied):
    found = Grants(never=frozenset({forbidden})).forbidding("web", needs)

    assert found == (forbidden if denied else None)


def test_a_grant_says_in_words_what_it_is():
    assert str(Grant("web", FETCH)) == "read web pages from https://a.org"
    assert str(Grant("clock")) == "use clock"


def test_answers_have_the_names_that_events_and_commands_use():
    assert [choice.value for choice in Choice] == ["once", "chat", "always", "never"]


def test_answers_do_what_they_say():
    once = Grants().with_answer(CALL, Choice.ONCE)
    assert once == Grants(answered=frozenset({CALL.digest}))
    for choice in (Choice.CHAT, Choice.ALWAYS):
        answered = Grants().with_answer(CALL, choice)
        assert answered == Grants(allowed=frozenset({Grant("web", FETCH)}), answered=frozenset({CALL.digest}))
    never = Grants().with_answer(CALL, Choice.NEVER)
    assert never == Grants(never=frozenset({Grant("web", FETCH)}))
    assert once.approval_of(CALL, 0) == "once"
    assert once.without_answer(CALL) == Grants()


def test_an_answer_adds_to_those_before_it():
    both = Grants().with_answer(CALL, Choice.ALWAYS).with_answer(CLOCK, Choice.ALWAYS)

    assert both.allowed == {Grant("web", FETCH), Grant("clock")}
    assert both.answered == {CALL.digest, CLOCK.digest}
    assert both.without_answer(CALL).answered == {CLOCK.digest}
    assert both.with_answer(CALL, Choice.NEVER).with_answer(CLOCK, Choice.NEVER).never == both.allowed


def test_what_always_grants_are_the_powers_of_the_call_or_the_tool_itself():
    assert grants_for(CALL) == {Grant("web", FETCH)}
    assert grants_for(CLOCK) == {Grant("clock")}


def test_ticking_a_tool_in_ones_own_project_grants_what_it_asks_for():
    grants = ticked(parse_requests([("web", ["net.fetch a.org", "net.fetch", "bad"]), ("clock", ["also bad"])]))

    assert grants == Grants(allowed=frozenset({Grant("web", FETCH), Grant("web", ANYWHERE), Grant("clock")}))


def test_the_named_places_are_those_of_exact_grants():
    lines = [
        "net.fetch a.org",
        "net.fetch *.b.org",
        "net.fetch",
        "net.search ddgs",
        "fs.read notes",
        "mcp.connect c.org/x",
    ]

    grants = ticked(parse_requests([("t", lines), ("clock", [])]))
    assert grants.named_places == {"https://a.org", "search:ddgs", "https://c.org"}


def test_the_digest_tells_calls_apart_that_python_calls_equal():
    def digest(value):
        return Call("t", {"a": value}).digest

    assert len({digest(value) for value in (1, True, 1.0, "1", [1], {"1": 1}, None)}) == 7
    assert Call("t", {"a": 1, "b": 2}).digest == Call("t", {"b": 2, "a": 1}).digest
    assert Call("t", {}, (FETCH, ANYWHERE)).digest == Call("t", {}, (ANYWHERE, FETCH)).digest
    assert canonical({"b": [1, "ü"], "a": None}) == b'{"a":null,"b":[1,"\\u00fc"]}'
    assert CALL.digest != Call("web", {"url": "https://a.org/"}, (FETCH,)).digest


@pytest.mark.parametrize(
    ("effect", "destinations"),
    [
        (Effect(), ()),
        (Effect(sends_to=("search:ddgs",)), ("search:ddgs",)),
        (Effect(address="https://a.org/x"), ("https://a.org",)),
        (Effect(sends_to=("https://a.org",), address="https://a.org/x"), ("https://a.org",)),
        (Effect(sends_to=("https://b.org",), address="https://a.org/x"), ("https://b.org", "https://a.org")),
        (Effect(address="nonsense"), ("nonsense",)),
    ],
)
def test_the_place_of_an_address_is_a_destination(effect, destinations):
    assert effect.destinations == destinations
