"""Checks calls, and runs those that the broker allowed: with a time limit, a way to stop, and a cap on what comes back.

Between `prepare` and `run` stands the broker: `run` takes its `Allow` and cannot be called without one. Whatever a tool
does (raise, hang, return 100 MB), a call ends with a result that the model and the person can read.
"""

from __future__ import annotations

import re
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self

from satchel.runtime.engine.base import Grammar, ToolCall
from satchel.runtime.errors import CancelledError, OutOfTimeError, SatchelError
from satchel.runtime.permissions.broker import Allow
from satchel.runtime.permissions.calls import Call
from satchel.runtime.permissions.label_table import effect_of, label_result
from satchel.runtime.permissions.labels import HIGHEST, Label, join
from satchel.runtime.progress import SILENT, Progress
from satchel.runtime.tools.arguments import ArgumentChecker
from satchel.runtime.tools.base import Artefact, CallContext, Cancellation, Function, Tool, ToolResult
from satchel.runtime.tools.calls import BrokenCall
from satchel.runtime.tools.errors import BadCallError
from satchel.runtime.tools.grammar import call_grammar

MOST_CALLS = 8
"""Of one turn: what a call carries out by being chosen is few bits, and their number is bounded."""
MOST_ARTEFACTS = 20
MOST_ARTEFACT_BYTES = 32 << 20
_GRACE_SECONDS = 2.0
"""For a tool to notice that its time is up, before it is left behind."""
_UNSHOWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class PreparedCall:
    """A call whose name and arguments are right; what the broker is asked about is `asked`."""

    tool: Tool
    function: Function
    asked: Call


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """How a call ended. A failed one carries its message as text: the model reads it and may try again."""

    call: ToolCall
    result: ToolResult
    failure: str = ""
    """The error's code (`bad-call`, `out-of-time`, `cancelled`, `bug`, …); empty when it went well."""
    label: Label = HIGHEST
    """The result's, by the label table; of a message of our own, that of the arguments it may quote."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class CallLabels:
    """What is known of a call's arguments: by name, and of all that the model saw."""

    arguments: Mapping[str, Label] = field(default_factory=dict)
    context: Label = HIGHEST
    typed: Label = HIGHEST
    """Of what the person types (`labels.typed_label`)."""

    @property
    def joined(self) -> Label:
        """Of anything that is made from the arguments; none may be better than what wrote the call."""
        return join((*self.arguments.values(), self.context))


class ToolRunner:
    """The tools of one assistant in one chat. Closing it closes them."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        """Take tools whose functions have names of their own.

        Raises:
            SchemaError: a function's schema cannot be used.
            ValueError: two functions have one name.
        """
        self._tools = tuple(tools)
        self._functions: dict[str, tuple[Tool, Function, ArgumentChecker]] = {}
        for tool in self._tools:
            for function in tool.functions:
                if function.name in self._functions:
                    raise ValueError(f"two tools have a function {function.name}")
                self._functions[function.name] = (tool, function, ArgumentChecker(function.name, function.parameters))

    @property
    def tools(self) -> tuple[Tool, ...]:
        """As they were given."""
        return self._tools

    def refresh(self) -> None:
        """Take up the functions that tools have got since: an MCP server's. None takes a name that is there already."""
        for tool in self._tools:
            for function in tool.functions:
                if function.name not in self._functions:
                    checker = ArgumentChecker(function.name, function.parameters)
                    self._functions[function.name] = (tool, function, checker)

    @property
    def functions(self) -> tuple[Function, ...]:
        """All that the model can call."""
        return tuple(function for _, function, _ in self._functions.values())

    def descriptions(self) -> list[dict[str, Any]]:
        """Return the functions in the form that chat templates take (OpenAI's)."""
        return [
            {
                "type": "function",
                "function": {"name": one.name, "description": one.description, "parameters": dict(one.parameters)},
            }
            for one in self.functions
        ]

    def grammar(self) -> Grammar | None:
        """Return the lazy grammar of their calls; None where there are no tools."""
        return call_grammar(self.functions)

    def prepare(self, call: ToolCall | BrokenCall) -> PreparedCall:
        """Check a call's name and arguments, and say what it would need and do.

        Raises:
            ToolError: the message is for the model (`failed` makes a result of it).
        """
        if isinstance(call, BrokenCall):
            raise BadCallError(reason=f"{call.reason}. Nothing was run; write the call again")
        found = self._functions.get(call.name)
        if found is None:
            names = ", ".join(self._functions) or "none"
            raise BadCallError(reason=f"There is no function {call.name!r}. Those that there are: {names}")
        tool, function, checker = found
        checker.check(call.arguments)
        effect = effect_of(
            function.table_row, places=function.destinations(call.arguments), address=function.address(call.arguments)
        )
        needs = function.needs(call.arguments)
        return PreparedCall(tool, function, Call(tool.name, call.arguments, needs, effect, function.name))

    def run(
        self,
        prepared: PreparedCall,
        _allowed: Allow,
        *,
        labels: CallLabels | None = None,
        cancellation: Cancellation | None = None,
        progress: Progress = SILENT,
    ) -> CallOutcome:
        """Run one call to its end, whatever that is; raises nothing."""
        labels = labels or CallLabels()
        function, arguments = prepared.function, prepared.asked.arguments
        call = ToolCall(function.name, dict(arguments))
        start = time.monotonic()
        own = Cancellation()  # of this call, which is also stopped when its time is up; the turn goes on
        if cancellation is not None:
            cancellation.when_cancelled(own.cancel)
        context = CallContext(start + function.seconds, function.seconds, own, progress, labels.joined)
        try:
            result = _in_time(lambda: function.run(arguments, context), context)
        except SatchelError as error:
            return _ended(failed(call, error, labels), start, self._label(prepared, labels))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a tool's bug must not end the chat
            traceback.print_exc()
            bug = BadCallError(reason=f"The tool failed ({type(error).__name__}: {error})")
            return _ended(replace(failed(call, bug, labels), failure="bug"), start, self._label(prepared, labels))
        capped = _capped(result, function.most_characters)
        return _ended(CallOutcome(call, capped), start, self._label(prepared, labels, result))

    @staticmethod
    def _label(prepared: PreparedCall, labels: CallLabels, result: ToolResult | None = None) -> Label:
        """Return a result's label by the table; a failure's words may be a server's, or quote the arguments."""
        label = label_result(
            prepared.function.table_row,
            # Which call it is was chosen by all that the model saw.
            (*labels.arguments.values(), labels.context),
            typed=labels.typed,
            kept=result.kept if result else (),
            places=(result.places if result else ()) or prepared.asked.effect.destinations,
        )
        return label.joined(result.narrowed) if result else label.joined(labels.joined)

    def close(self) -> None:
        """Close every tool."""
        for tool in self._tools:
            tool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def failed(call: ToolCall | BrokenCall, error: SatchelError, labels: CallLabels | None = None) -> CallOutcome:
    """Return the outcome of a call that was not run, or did not end well: the model reads the error's message."""
    if isinstance(call, BrokenCall):
        call = ToolCall("", {})
    label = (labels or CallLabels()).joined
    return CallOutcome(call, ToolResult(_showable(f"Error: {error.message}")), error.code(), label)


def _ended(outcome: CallOutcome, start: float, label: Label) -> CallOutcome:
    return replace(outcome, label=label, seconds=time.monotonic() - start)


def _in_time(work: Callable[[], ToolResult], context: CallContext) -> ToolResult:
    """Run on a thread of its own until it is done, cancelled or out of time. One that hangs is left behind."""
    outcome: list[ToolResult | BaseException] = []
    done, woken = threading.Event(), threading.Event()

    def body() -> None:
        try:
            outcome.append(work())
        except BaseException as error:  # noqa: BLE001 - handed to the one who waits
            outcome.append(error)
        done.set()
        woken.set()

    threading.Thread(target=body, name="tool call", daemon=True).start()
    context.cancellation.when_cancelled(woken.set)
    woken.wait(context.seconds_left)
    if not done.is_set():
        was_cancelled = context.cancellation.is_cancelled
        context.cancellation.cancel()
        done.wait(_GRACE_SECONDS)
        if was_cancelled:
            raise CancelledError
        raise OutOfTimeError(seconds=f"{context.seconds:g}", stage="the tool call")
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


def _capped(result: ToolResult, most_characters: int) -> ToolResult:
    """Return a result of bounded size whose text any file and terminal can hold."""
    text = result.text
    if len(text) > most_characters:
        text = f"{text[:most_characters]}\n[cut: {most_characters:,} of {len(text):,} characters are shown]"
    kept: list[Artefact] = []
    size = 0
    for artefact in result.artefacts[:MOST_ARTEFACTS]:
        size += len(artefact.content)
        if size > MOST_ARTEFACT_BYTES:
            break
        kept.append(replace(artefact, name=_file_name(artefact.name)))
    if len(kept) < len(result.artefacts):
        text += f"\n[{len(result.artefacts) - len(kept)} of {len(result.artefacts)} files were too many or too large]"
    return replace(result, text=_showable(text), artefacts=tuple(kept))


def _showable(text: str) -> str:
    return _UNSHOWABLE.sub("\ufffd", text)


def _file_name(name: str) -> str:
    """Return a name that is one part of a path on every system."""
    return re.sub(r'[\x00-\x1f\x7f/\\:*?"<>|\ud800-\udfff]', "_", name).strip(". ")[:100] or "file"
