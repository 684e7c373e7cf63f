"""The grammar of tool calls, held by the real engine: what it lets a model write, and what it makes of nonsense."""

from __future__ import annotations

import jsonschema_rs
import pytest
from helpers.generations import GREEDY, collect, user
from helpers.scripted_gguf import write_scripted_gguf

from satchel.runtime.engine.base import LoadSpec, SamplingSettings, ToolCall
from satchel.runtime.engine.llama import LlamaEngine
from satchel.runtime.tools.base import Function, ToolResult, object_schema
from satchel.runtime.tools.calculator import Calculator
from satchel.runtime.tools.calls import CallParser, written
from satchel.runtime.tools.clock import Clock
from satchel.runtime.tools.grammar import call_grammar

ASK = [user("What is the tide in Husum?")]
TEXT = {"type": "string", "maxLength": 50}
SCHEMAS = {
    "plain": object_schema({"a": TEXT}),
    "empty": object_schema({}),
    "optional": object_schema({"a": TEXT}, {"b": {"type": "integer"}, "c": {"type": "boolean"}}),
    "all-optional": object_schema({}, {"a": TEXT, "b": {"type": "number"}, "c": {"type": "null"}}),
    "nested": object_schema({"o": object_schema({"x": TEXT}), "l": {"type": "array", "items": {"type": "integer"}}}),
    "choices": object_schema({"unit": {"enum": ["m", 'in"ch', 3, None]}, "kind": {"const": "é\n"}}),
    "any-of": object_schema({"a": {"anyOf": [{"type": "integer"}, object_schema({"x": TEXT})]}}),
    "kinds": object_schema({"a": {"type": ["string", "null"]}}),
    "free": {"type": "object"},
    "unknown": object_schema({"a": {"minProperties": 0}}),
    "twelve": object_schema({}, {f"p{number}": TEXT for number in range(12)}),
    "odd names": object_schema({'a "b" \\ {}': TEXT, "ünder": TEXT}),
}
GOOD = {
    "plain": [{"a": 'text with "quotes", \\ and é'}],
    "empty": [{}],
    "optional": [{"a": "x"}, {"a": "x", "b": -3}, {"a": "x", "c": True}, {"a": "x", "b": 0, "c": False}],
    "all-optional": [{}, {"a": "x"}, {"b": 1.5}, {"c": None}, {"a": "", "c": None}, {"a": "x", "b": -2e10, "c": None}],
    "nested": [{"o": {"x": "y"}, "l": [1, 2, 3]}, {"o": {"x": ""}, "l": []}],
    "choices": [{"unit": 'in"ch', "kind": "é\n"}, {"unit": 3, "kind": "é\n"}, {"unit": None, "kind": "é\n"}],
    "any-of": [{"a": 3}, {"a": {"x": "y"}}],
    "kinds": [{"a": "x"}, {"a": None}],
    "free": [{}, {"any": ["thing", {"at": "all"}]}],
    "unknown": [{"a": {"any": 1}}],
    "twelve": [{}, {"p0": "", "p11": ""}, {"p5": "x"}],
    "odd names": [{'a "b" \\ {}': "x", "ünder": "y"}],
}


def function(name, schema):
    return Function(name=name, description="-", parameters=schema, run=lambda _arguments, _context: ToolResult("-"))


@pytest.fixture(scope="module")
def engine():
    engine = LlamaEngine()
    yield engine
    engine.close()


def say(engine, folder, script, functions, settings=GREEDY, **rest):
    engine.load(LoadSpec(path=str(write_scripted_gguf(folder / "scripted.gguf", script))))
    return collect(engine.generate(ASK, settings, max_tokens=600, grammar=call_grammar(functions), **rest)).text


def calls_in(text):
    parser = CallParser()
    return [piece for piece in (*parser.feed(text), *parser.end()) if not isinstance(piece, str)]


@pytest.mark.parametrize(("name", "arguments"), [(name, one) for name, all_ in GOOD.items() for one in all_])
def test_a_sound_call_is_let_through_as_the_model_says_it(engine, tmp_path, name, arguments):
    assert jsonschema_rs.is_valid(SCHEMAS[name], arguments)
    call = ToolCall(name, arguments)
    text = written(call)
    assert (
        say(
            engine,
            tmp_path,
            [text[:11], text[11:]],
            [function("other", SCHEMAS["plain"]), function(name, SCHEMAS[name])],
        )
        == text
    )
    assert calls_in(text) == [call]


@pytest.mark.parametrize("name", SCHEMAS)
def test_nonsense_becomes_a_call_whose_names_and_kinds_are_right(engine, tmp_path, name):
    settings = SamplingSettings(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0)
    for seed in range(2):
        script = ["<tool_call>", "no JSON", " at all"]
        text = say(engine, tmp_path, script, [function(name, SCHEMAS[name])], settings, seed=seed)
        if not text.endswith("</tool_call>"):
            continue  # a string that went on to the end of the tokens
        [call, *_] = calls_in(text)
        assert isinstance(call, ToolCall), text
        assert call.name == name
        assert jsonschema_rs.is_valid(_without_lengths(SCHEMAS[name]), call.arguments)


def test_several_calls_may_follow_each_other(engine, tmp_path):
    calls = [
        ToolCall("calculator", {"expression": "1+1"}),
        ToolCall("clock", {}),
        ToolCall("clock", {"time_zone": "UTC"}),
    ]
    text = "Let me see. " + "\n".join(map(written, calls))
    functions = [*Calculator().functions, *Clock().functions]
    first, *more = map(written, calls)
    script = ["Let me see. ", first, *(f"\n{call}" for call in more)]
    assert say(engine, tmp_path, script, functions) == text
    assert calls_in(text) == calls


def test_a_call_of_another_function_cannot_be_written(engine, tmp_path):
    text = say(engine, tmp_path, ["<tool_call>", '{"name": "rm", "arguments": {}}', "</tool_call>"], Clock().functions)
    assert '"name": "clock"' in text


def test_without_functions_there_is_no_grammar():
    assert call_grammar([]) is None


def _without_lengths(schema):
    if isinstance(schema, dict):
        return {key: _without_lengths(value) for key, value in schema.items() if key != "maxLength"}
    return [_without_lengths(one) for one in schema] if isinstance(schema, list) else schema
