"""Reading calls out of a model's text, however it is cut into pieces."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.engine.base import ToolCall
from satchel.runtime.tools.calls import BrokenCall, CallParser, parse_call, written


def parsed(text: str, cuts=()) -> list:
    """Feed a text in pieces and join what is ordinary text."""
    parser = CallParser()
    pieces = []
    bounds = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    for start, end in itertools.pairwise(bounds):
        pieces += parser.feed(text[start:end])
    pieces += parser.end()
    joined: list = []
    for piece in pieces:
        if isinstance(piece, str) and joined and isinstance(joined[-1], str):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined


def test_text_without_a_call_passes_as_it_is():
    assert parsed("2 < 3 and <b>bold</b> <tool") == ["2 < 3 and <b>bold</b> <tool"]


def test_text_that_cannot_begin_a_call_is_not_held_back():
    parser = CallParser()
    assert parser.feed("a <too") == ["a "]
    assert parser.feed("th>") == ["<tooth>"]


def test_a_call_is_read_with_the_text_around_it():
    text = 'One moment. <tool_call>{"name": "clock", "arguments": {}}</tool_call> Done.'
    assert parsed(text) == ["One moment. ", ToolCall("clock", {}), " Done."]


def test_line_ends_around_the_object_are_no_matter():
    assert parsed('<tool_call>\n{"name": "clock", "arguments": {}}\n</tool_call>') == [ToolCall("clock", {})]


def test_calls_side_by_side_are_several_calls():
    one, two = ToolCall("a", {"x": 1}), ToolCall("b", {"y": [2]})
    assert parsed(f"{written(one)}\n{written(two)}{written(one)}") == [one, "\n", two, one]


def test_a_closing_tag_in_a_string_does_not_end_the_call():
    call = ToolCall("files_write", {"text": 'a "quoted" </tool_call> \\ here'})
    assert parsed(written(call) + " rest") == [call, " rest"]


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        ('{"name": "a", "arguments": {}', "valid JSON"),
        ("{'name': 'a'}", "valid JSON"),
        ('{"name": "a"}', "arguments"),
        ('{"name": 3, "arguments": {}}', "name"),
        ('{"name": "a", "arguments": "{}"}', "arguments"),
        ('{"name": "a", "arguments": {}, "why": ""}', "nothing more"),
        ('[{"name": "a", "arguments": {}}]', "nothing more"),
        ("", "valid JSON"),
        ('{"name": "a", "arguments": {"x": NaN}}', "valid JSON"),
        ('{"name": "a", "arguments": {"x": "\ud800"}}', "Unicode"),
        ('{"name": "a", "arguments": ' + "[" * 100_000 + "}", "nest|valid JSON|nothing more"),
    ],
)
def test_what_is_no_call_is_handed_back_with_a_reason(inside, reason):
    import re

    [broken] = parsed(f"<tool_call>{inside}</tool_call>")
    assert isinstance(broken, BrokenCall)
    assert re.search(reason, broken.reason)


def test_a_call_that_is_never_closed_is_a_broken_one_at_the_end():
    [broken] = parsed('<tool_call>{"name": "a", "arguments": {"x": "')
    assert "not finished" in broken.reason


def test_a_string_that_is_never_closed_does_not_swallow_what_comes_after_the_call():
    text = '<tool_call>{"name": "a}</tool_call> Then <tool_call>{"name": "b", "arguments": {}}</tool_call>'
    broken, between, call = parsed(text)
    assert isinstance(broken, BrokenCall)
    assert (between, call) == (" Then ", ToolCall("b", {}))


def test_a_call_without_an_end_does_not_fill_the_memory():
    parser = CallParser()
    parser.feed("<tool_call>")
    pieces = [piece for _ in range(20) for piece in parser.feed("x" * 100_000)]
    assert isinstance(pieces[0], BrokenCall)
    assert len(pieces[0].raw) <= 200


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.text().filter(lambda text: "<" not in text),
    st.dictionaries(st.text(), json_values, max_size=4),
    st.text().filter(lambda text: "<" not in text),
    st.lists(st.integers(0, 10_000), max_size=30),
)
def test_any_call_survives_any_cutting(before, arguments, after, cuts):
    call = ToolCall("tool", arguments)
    expected = [piece for piece in (before, call, after) if piece != ""]
    assert parsed(before + written(call) + after, cuts) == expected


@given(st.text(alphabet='<>/tool_cal{}":,\\ ab1'), st.lists(st.integers(0, 1000), max_size=20))
def test_how_a_text_is_cut_never_changes_what_it_says(text, cuts):
    assert parsed(text, cuts) == parsed(text)


@given(st.text())
def test_no_text_breaks_the_reading_of_a_call(text):
    assert isinstance(parse_call(text), ToolCall | BrokenCall)


def test_what_is_written_is_json_of_the_documented_form():
    text = written(ToolCall("clock", {"time_zone": "UTC"}))
    assert text.startswith("<tool_call>{")
    assert json.loads(text[len("<tool_call>") : -len("</tool_call>")]) == {
        "name": "clock",
        "arguments": {"time_zone": "UTC"},
    }
