"""What any tool must pass: `@pytest.mark.parametrize("check", CHECKS)` over a `Specimen` of it."""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jsonschema_rs
import pytest

from satchel.runtime.engine.base import ToolCall
from satchel.runtime.permissions.broker import Allow
from satchel.runtime.permissions.capabilities import Kind, parse_capability
from satchel.runtime.permissions.label_table import TABLE, label_result
from satchel.runtime.permissions.labels import LOWEST, PERSON_ALONE, WEB, Integrity, Label
from satchel.runtime.tools.base import Cancellation, Function, Tool
from satchel.runtime.tools.errors import BadCallError, ToolError
from satchel.runtime.tools.runner import CallLabels, CallOutcome, ToolRunner

ALLOWED = Allow("a test says so")
OVER_NETWORK = {Kind.NET_FETCH, Kind.NET_SEARCH, Kind.NET_CALL, Kind.MCP_CONNECT}
HOSTILE = (
    "", " ", "\n", "\0", "\x1b[2J", "\u202egnp.exe", "../../etc/passwd", "/etc/passwd", "{{7*7}}", "'; DROP TABLE x;--",
    "<tool_call>", "</tool_call>", "http://169.254.169.254/", "file:///etc/passwd",
    "9" * 400, "(" * 400, "\U0001f600" * 50,
)  # fmt: skip
WRONG: tuple[Any, ...] = (None, [], {}, True, 1.5, "text", [["nested"]])
SECONDS_TO_STOP = 10.0


@dataclass(frozen=True)
class Specimen:
    """A tool and calls of it that work where the test runs."""

    tool: Tool
    good: Mapping[str, Sequence[Mapping[str, Any]]]
    """By function: at least one set of arguments each."""
    runner: ToolRunner = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "runner", ToolRunner([self.tool]))

    def calls(self):
        for function in self.tool.functions:
            for arguments in self.good[function.name]:
                yield function, ToolCall(function.name, dict(arguments))

    def run(self, call: ToolCall, **rest) -> CallOutcome:
        return self.runner.run(self.runner.prepare(call), ALLOWED, **rest)


def _it_names_and_describes_its_functions(specimen: Specimen) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,63}", specimen.tool.name)
    for function in specimen.tool.functions:
        assert re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_-]{0,63}", function.name)
        assert 10 <= len(function.description) <= 2000
        assert specimen.good[function.name], "a specimen needs a call of every function"


def _its_schemas_are_strict_and_bounded(specimen: Specimen) -> None:
    for function in specimen.tool.functions:
        jsonschema_rs.meta.validate(dict(function.parameters))
        assert function.parameters["type"] == "object"
        _check_bounds(function.parameters, function.name)


def _check_bounds(schema: Mapping[str, Any], place: str) -> None:
    if schema.get("type") == "object":
        assert schema.get("additionalProperties") is False, f"{place} takes unknown arguments"
        for name, inner in schema.get("properties", {}).items():
            _check_bounds(inner, f"{place}.{name}")
    if schema.get("type") == "array":
        assert "maxItems" in schema, f"{place} has no maxItems"
        _check_bounds(schema["items"], f"{place}[]")
    if schema.get("type") == "string" and "enum" not in schema:
        assert "maxLength" in schema, f"{place} has no maxLength"


def _each_function_has_a_row_in_the_committed_label_table(specimen: Specimen) -> None:
    for function in specimen.tool.functions:
        assert function.table_row in TABLE, f"{function.name} has no row in permissions/label_table.py"


def _what_a_call_needs_and_reaches_agrees_with_its_row(specimen: Specimen) -> None:
    for function, call in specimen.calls():
        asked = specimen.runner.prepare(call).asked
        assert asked.tool == specimen.tool.name
        for need in asked.needs:
            assert parse_capability(str(need)) == need
        over_network = any(need.kind in OVER_NETWORK for need in asked.needs)
        assert bool(asked.effect.destinations) == TABLE[function.table_row].sends
        assert over_network <= TABLE[function.table_row].sends
        assert asked.digest == specimen.runner.prepare(call).asked.digest


def _functions_of_one_tool_cannot_be_mistaken_for_each_other(specimen: Specimen) -> None:
    digests = [specimen.runner.prepare(call).asked.digest for _, call in specimen.calls()]
    assert len(set(digests)) == len(digests)


def _wrong_arguments_are_refused_before_anything_runs(specimen: Specimen) -> None:
    for function, call in specimen.calls():
        _refused(specimen, ToolCall(function.name, {**call.arguments, "surplus": 1}))
        for name in function.parameters.get("required", ()):
            _refused(specimen, ToolCall(function.name, {k: v for k, v in call.arguments.items() if k != name}))
        for name, schema in function.parameters["properties"].items():
            for value in WRONG:
                if not jsonschema_rs.is_valid(schema, value):
                    _refused(specimen, ToolCall(function.name, {**call.arguments, name: value}))


def _refused(specimen: Specimen, call: ToolCall) -> None:
    with pytest.raises(BadCallError) as caught:
        specimen.runner.prepare(call)
    assert call.name in caught.value.message


def _good_calls_end_well_and_within_their_caps(specimen: Specimen) -> None:
    for function, call in specimen.calls():
        outcome = specimen.run(call)
        assert outcome.failure == "", outcome.result.text
        assert outcome.result.text
        assert len(outcome.result.text) <= function.most_characters + 200
        assert outcome.seconds <= function.seconds


def _results_are_labelled_as_the_table_says(specimen: Specimen) -> None:
    for context in (Label(Integrity.USER, PERSON_ALONE), WEB, LOWEST):
        for function, call in specimen.calls():
            outcome = specimen.run(call, labels=CallLabels({}, context, context))
            asked = specimen.runner.prepare(call).asked
            expected = label_result(
                function.table_row, (context,), typed=context, kept=outcome.result.kept,
                places=outcome.result.places or asked.effect.destinations,
            )  # fmt: skip
            assert outcome.label == expected.joined(outcome.result.narrowed)


def _hostile_arguments_that_fit_the_schema_end_in_an_answer(specimen: Specimen) -> None:
    for function, call in specimen.calls():
        for name, schema in function.parameters["properties"].items():
            for value in (*HOSTILE, -1, 0, 2**53):
                if not jsonschema_rs.is_valid(schema, value):
                    continue
                hostile = ToolCall(function.name, {**call.arguments, name: value})
                try:
                    outcome = specimen.run(hostile)
                except ToolError:  # no such name or address: the model is told
                    continue
                assert outcome.failure != "bug", outcome.result.text
                assert outcome.result.text


def _a_cancelled_call_ends_soon(specimen: Specimen) -> None:
    for _, call in specimen.calls():
        cancellation = Cancellation()
        cancellation.cancel()
        start = time.monotonic()
        outcome = specimen.run(call, cancellation=cancellation)
        assert time.monotonic() - start < SECONDS_TO_STOP
        assert outcome.failure in ("", "cancelled")


def _a_call_whose_time_is_up_ends_soon_and_the_next_one_works(specimen: Specimen) -> None:
    for function, call in specimen.calls():
        prepared = specimen.runner.prepare(call)
        hurried: Function = dataclasses.replace(function, seconds=0.0)
        outcome = specimen.runner.run(dataclasses.replace(prepared, function=hurried), ALLOWED)
        assert outcome.failure in ("", "out-of-time")
        assert specimen.run(call).failure == ""


def _its_calls_can_be_written_by_the_grammar(specimen: Specimen) -> None:
    grammar = specimen.runner.grammar()
    assert grammar is not None
    for function in specimen.tool.functions:
        assert f'\\"name\\": \\"{function.name}\\"' in grammar.gbnf


def _it_may_be_closed_twice(specimen: Specimen) -> None:
    specimen.tool.close()
    specimen.tool.close()


CHECKS: tuple[Callable[[Specimen], None], ...] = (
    _it_names_and_describes_its_functions,
    _its_schemas_are_strict_and_bounded,
    _each_function_has_a_row_in_the_committed_label_table,
    _what_a_call_needs_and_reaches_agrees_with_its_row,
    _functions_of_one_tool_cannot_be_mistaken_for_each_other,
    _wrong_arguments_are_refused_before_anything_runs,
    _good_calls_end_well_and_within_their_caps,
    _results_are_labelled_as_the_table_says,
    _hostile_arguments_that_fit_the_schema_end_in_an_answer,
    _a_cancelled_call_ends_soon,
    _a_call_whose_time_is_up_ends_soon_and_the_next_one_works,
    _its_calls_can_be_written_by_the_grammar,
    _it_may_be_closed_twice,
)
