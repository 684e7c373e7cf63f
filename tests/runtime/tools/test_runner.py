"""A call's way from the model's words to a result that can be shown, whatever the tool does."""

from __future__ import annotations

import threading

import pytest

from satchel.runtime.engine.base import ToolCall
from satchel.runtime.permissions.broker import Allow
from satchel.runtime.permissions.labels import LOWEST, PERSON_ALONE, WEB, Integrity, Label
from satchel.runtime.tools.base import Artefact, Cancellation, Function, ToolResult, object_schema
from satchel.runtime.tools.calls import BrokenCall
from satchel.runtime.tools.errors import BadCallError, ToolError
from satchel.runtime.tools.runner import CallLabels, ToolRunner, failed

ALLOWED = Allow("a test says so")


class Odd:
    """A tool of one function that does what a test wants."""

    name = "odd"

    def __init__(self, run, *, seconds=5.0, row="calculator", parameters=None):
        self.closed = 0
        schema = parameters or object_schema({}, {"text": {"type": "string", "maxLength": 10}})
        self.functions = (
            Function(name="odd", description="Odd.", parameters=schema, run=run, row=row, seconds=seconds),
        )

    def close(self):
        self.closed += 1


def run(work, *, arguments=None, labels=None, cancellation=None, **rest):
    with ToolRunner([Odd(work, **rest)]) as runner:
        prepared = runner.prepare(ToolCall("odd", arguments or {}))
        return runner.run(prepared, ALLOWED, labels=labels, cancellation=cancellation)


def says(text, *artefacts):
    return lambda _arguments, _context: ToolResult(text, tuple(artefacts))


def raises(error):
    def work(_arguments, _context):
        raise error

    return work


def test_a_result_of_100_mb_is_cut_and_says_so():
    outcome = run(says("x" * 100_000_000))
    assert len(outcome.result.text) < 21_000
    assert outcome.result.text.endswith("[cut: 20,000 of 100,000,000 characters are shown]")


def test_what_no_terminal_or_file_can_hold_is_replaced():
    assert run(says("a\0b\x1b[31m\ud800\tc\n")).result.text == "a\ufffdb\ufffd[31m\ufffd\tc\n"


def test_a_tool_that_hangs_is_left_behind_when_its_time_is_up():
    release = threading.Event()
    outcome = run(lambda _arguments, _context: release.wait() and ToolResult("late"), seconds=0.05)
    release.set()
    assert outcome.failure == "out-of-time"
    assert "0.05 s" in outcome.result.text


def test_a_tool_is_told_that_its_time_is_up_and_the_turn_is_not_cancelled():
    told = threading.Event()
    cancellation = Cancellation()

    def work(_arguments, context):
        context.cancellation.when_cancelled(told.set)
        told.wait()
        return ToolResult("stopped")

    assert run(work, seconds=0.05, cancellation=cancellation).failure == "out-of-time"
    assert told.is_set()
    assert not cancellation.is_cancelled


def test_cancelling_from_another_thread_ends_the_call():
    cancellation = Cancellation()

    def work(_arguments, context):
        cancellation.cancel()
        stop = threading.Event()
        context.cancellation.when_cancelled(stop.set)
        stop.wait()
        context.check()

    assert run(work, cancellation=cancellation).failure == "cancelled"


def test_a_bug_in_a_tool_is_a_message_and_no_traceback_for_the_model(capfd):
    outcome = run(raises(ZeroDivisionError("division by zero")))
    assert outcome.failure == "bug"
    assert outcome.result.text == "Error: The tool failed (ZeroDivisionError: division by zero)."
    assert "Traceback" in capfd.readouterr().err


def test_a_tools_own_error_is_what_the_model_reads():
    outcome = run(raises(ToolError(reason="There is no such planet")))
    assert (outcome.failure, outcome.result.text) == ("tool", "Error: There is no such planet.")


def test_even_an_exit_in_a_tool_does_not_end_the_chat():
    outcome = run(raises(SystemExit(3)))
    assert outcome.failure == "bug"


def test_too_many_and_too_large_files_are_left_out_and_counted():
    many = [Artefact(f"{number}.bin", "x/y", b"1") for number in range(25)]
    outcome = run(says("made", *many))
    assert len(outcome.result.artefacts) == 20
    assert outcome.result.text == "made\n[5 of 25 files were too many or too large]"
    large = run(says("made", Artefact("a", "x/y", bytes(20 << 20)), Artefact("b", "x/y", bytes(20 << 20))))
    assert [artefact.name for artefact in large.result.artefacts] == ["a"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("../../etc/passwd", "_.._etc_passwd"), ("a\0b\n.png", "a_b_.png"), ("...", "file"), ("C:\\x", "C__x"),
     ("x" * 300, "x" * 100)],
)  # fmt: skip
def test_a_files_name_is_one_part_of_a_path_anywhere(name, expected):
    assert run(says("", Artefact(name, "x/y", b""))).result.artefacts[0].name == expected


def test_an_unknown_function_is_refused_with_those_that_there_are():
    with ToolRunner([Odd(says(""))]) as runner, pytest.raises(BadCallError, match=r"no function 'rm'.*: odd"):
        runner.prepare(ToolCall("rm", {}))


def test_a_broken_call_is_refused_with_what_is_wrong():
    broken = BrokenCall("{", "The call is no valid JSON")
    with ToolRunner([Odd(says(""))]) as runner, pytest.raises(BadCallError, match=r"no valid JSON.*again") as caught:
        runner.prepare(broken)
    assert failed(broken, caught.value).result.text.startswith("Error: The call is no valid JSON")


def test_arguments_of_the_wrong_kind_never_reach_the_tool():
    with ToolRunner([Odd(raises(AssertionError("it ran")))]) as runner:
        for arguments in ({"text": 3}, {"text": "x" * 11}, {"other": 1}):
            with pytest.raises(BadCallError):
                runner.prepare(ToolCall("odd", arguments))


def test_a_result_is_no_better_than_what_wrote_the_call():
    person = Label(Integrity.USER, PERSON_ALONE)
    assert run(says("x"), labels=CallLabels({"text": person}, WEB)).label == person.joined(WEB)


def test_a_failures_words_carry_the_labels_of_both_sides():
    assert run(raises(ToolError(reason="x")), row="web_fetch", labels=CallLabels({}, LOWEST)).label == LOWEST


def test_a_schema_that_would_fetch_another_is_refused():
    schema = {"type": "object", "properties": {"a": {"$ref": "https://example.org/schema.json"}}}
    with pytest.raises(ToolError, match="schema that cannot be used"):
        ToolRunner([Odd(says(""), parameters=schema)])


@pytest.mark.parametrize("schema", [{"type": "string"}, {}, {"type": "object", "properties": 3}])
def test_a_schema_that_is_none_is_refused(schema):
    with pytest.raises(ToolError, match="schema that cannot be used"):
        ToolRunner([Odd(says(""), parameters=schema or {"x": 1})])


def test_a_pattern_that_would_hang_is_answered_at_once():
    schema = object_schema({"a": {"type": "string", "pattern": "^(a+)+$", "maxLength": 10_000}})
    with ToolRunner([Odd(says("ran"), parameters=schema)]) as runner, pytest.raises(BadCallError):
        runner.prepare(ToolCall("odd", {"a": "a" * 5000 + "!"}))


def test_two_functions_of_one_name_are_a_mistake():
    with pytest.raises(ValueError, match="odd"):
        ToolRunner([Odd(says("")), Odd(says(""))])


def test_closing_closes_every_tool():
    tool = Odd(says(""))
    ToolRunner([tool]).close()
    assert tool.closed == 1


def test_descriptions_have_the_form_that_templates_take():
    with ToolRunner([Odd(says(""))]) as runner:
        [one] = runner.descriptions()
    assert one["type"] == "function"
    assert one["function"]["name"] == "odd"
