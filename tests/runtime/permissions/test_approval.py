from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.permissions.approval import approval_request, escaped
from satchel.runtime.permissions.broker import Ask, Rule
from satchel.runtime.permissions.calls import Call, Effect
from satchel.runtime.permissions.capabilities import parse_capability
from satchel.runtime.permissions.grants import Choice
from satchel.runtime.permissions.labels import WEB, Integrity, Label, only

CALL = Call(
    "web\u202efetch",
    {"url": "https://a.org/?q=\u202egnp", "n": [1, {"ü": None}], "body": "two\nlines"},
    (parse_capability("net.fetch a.org"),),
    Effect(sends_to=("https://b.org",), address="https://a.org/?q=x"),
)


def test_a_request_shows_tool_arguments_destination_what_leaves_and_why():
    shown = approval_request(CALL, Ask("because\u200b", Rule.READERS), {"url": WEB, "n": Label(Integrity.USER, only())})

    assert shown.tool == "web\\u202efetch"
    assert [(each.name, each.text) for each in shown.arguments] == [
        ("url", "https://a.org/?q=\\u202egnp"),
        ("n", '[1,{"ü":null}]'),
        ("body", "two\\nlines"),
    ]
    assert shown.destinations == ("https://b.org", "https://a.org/?q=x")
    assert shown.leaving == shown.arguments
    assert [each.secret for each in shown.arguments] == [False, True, True]
    assert shown.powers == ("read web pages from https://a.org",)
    assert shown.why == "because\\u200b"
    assert shown.rule is Rule.READERS
    assert shown.digest == CALL.digest
    assert len(shown.id) == 32
    assert shown.id != approval_request(CALL, Ask("x", Rule.READERS), {}).id


def test_what_stays_here_leaves_nothing():
    shown = approval_request(Call("write", {"a": "b"}), Ask("x", Rule.GRANT), {})

    assert shown.leaving == ()
    assert shown.destinations == ()
    assert not shown.arguments[0].secret


@pytest.mark.parametrize("rule", Rule)
def test_always_is_offered_only_where_it_helps(rule):
    choices = approval_request(CALL, Ask("x", rule), {}).choices

    if rule is Rule.GRANT:
        assert choices == (Choice.ONCE, Choice.CHAT, Choice.ALWAYS, Choice.NEVER)
    else:
        assert choices == (Choice.ONCE, Choice.NEVER)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain Zürich 漢字 👍", "plain Zürich 漢字 👍"),
        ("a\\b", "a\\\\b"),
        ("\n\t\r\x1b[2J", "\\n\\t\\u000d\\u001b[2J"),
        ("\u200b\u2066\ufeff\u00ad", "\\u200b\\u2066\\ufeff\\u00ad"),
        ("\u2028\u00a0\u3000", "\\u2028\\u00a0\\u3000"),
        ("\U000e0041\U0001f3f4", "\\U000e0041\U0001f3f4"),
        ("\ufe0f\U000e0100", "\\ufe0f\\U000e0100"),
        ("\u3164\u2800\u115f", "\\u3164\\u2800\\u115f"),
        ("\ud800", "\\ud800"),
        ("\uffff\U00010000", "\\uffff\U00010000"),
        ("\U0010ffff", "\\U0010ffff"),
    ],
)
def test_characters_that_hide_or_move_others_are_written_out(text, shown):
    assert escaped(text) == shown


@given(st.text(), st.text())
def test_two_texts_that_differ_look_different(one, other):
    assert (escaped(one) == escaped(other)) == (one == other)
    assert not any(unicodedata.category(each) in {"Cc", "Cf", "Zl", "Zp"} for each in escaped(one))
