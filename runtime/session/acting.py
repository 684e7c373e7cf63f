"""Tool calls within a turn: checked, decided by the broker, perhaps asked about, run, and handed back to the model.

Attack success is decided here and in the broker, not by the model's manners: nothing runs without an `Allow`.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from satchel.runtime.engine.base import Grammar, ToolCall
from satchel.runtime.errors import CancelledError, SatchelError
from satchel.runtime.permissions.approval import approval_request
from satchel.runtime.permissions.broker import Allow, Ask, Decision, Deny
from satchel.runtime.permissions.calls import Call, Effect, Situation
from satchel.runtime.permissions.errors import DeniedError, NobodyToAskError
from satchel.runtime.permissions.grants import Choice
from satchel.runtime.permissions.labels import Label, result_of, typed_label
from satchel.runtime.permissions.provenance import Sources, label_arguments
from satchel.runtime.session.authority import Authority
from satchel.runtime.session.chat_labels import ChatLabels
from satchel.runtime.session.desk import Desk
from satchel.runtime.session.events import (
    ApprovalNeeded,
    Event,
    Progress,
    ToolFinished,
    ToolRequested,
    Warned,
)
from satchel.runtime.tools.base import Artefact, Cancellation, Function
from satchel.runtime.tools.calls import BrokenCall
from satchel.runtime.tools.errors import ToolError
from satchel.runtime.tools.mcp_servers import McpServers, PendingServer
from satchel.runtime.tools.runner import MOST_CALLS, CallLabels, CallOutcome, PreparedCall, ToolRunner, failed

KeepArtefact = Callable[[Artefact], str]
"""Keeps a file that a call made and returns where it lies; empty: nowhere."""

DENY = "deny"
"""The answer that allows nothing and is remembered nowhere; the others are `Choice`s."""


@dataclass(slots=True)
class ActingTurn:
    """The calls of one turn."""

    labels: ChatLabels
    cancellation: Cancellation = field(default_factory=Cancellation)
    calls: int = 0
    unasked: int = 0
    """Calls that were denied because nobody was there to ask."""

    @property
    def is_exhausted(self) -> bool:
        """Whether the turn has made as many calls as one may."""
        return self.calls >= MOST_CALLS


class Acting:
    """The tools of one assistant and the person's say over them, for as long as a session lives."""

    def __init__(
        self,
        runner: ToolRunner,
        authority: Authority,
        *,
        desk: Desk,
        keep_artefact: KeepArtefact,
        notes: Sequence[Warned] = (),
    ) -> None:
        """`notes` are told at the first turn: tools that are off, say."""
        self._runner, self.authority = runner, authority
        self._desk = desk
        self._notes = list(notes)
        self._keep_artefact = keep_artefact
        self._turn: ActingTurn | None = None
        self._passed_over: set[str] = set()
        """MCP servers that could not or may not be connected."""

    @property
    def descriptions(self) -> list[dict[str, Any]]:
        """The functions as chat templates take them."""
        return self._runner.descriptions()

    @property
    def grammar(self) -> Grammar | None:
        """What a call may look like, from its first letter on."""
        return self._runner.grammar()

    @property
    def typed(self) -> Label:
        """The label of what the person types."""
        return typed_label(self.authority.grants.named_places)

    @property
    def unasked(self) -> int:
        """Calls of the last turn that were denied because nobody was there to ask."""
        return self._turn.unasked if self._turn is not None else 0

    @property
    def has_results(self) -> bool:
        """Whether the last turn called a tool: its answer need not rest on the files alone."""
        return self._turn is not None and self._turn.calls > 0

    def begin(self, labels: ChatLabels) -> ActingTurn:
        """Begin a turn; the words in which services describe what they can do are in the model's context from then."""
        self._turn = ActingTurn(labels)
        _add_descriptions(labels, self._runner.functions)
        return self._turn

    def connect(self, turn: ActingTurn) -> Generator[Event, None, None]:
        """Connect the MCP servers that the person lets be connected; each is asked about once in a session."""
        known = {one.name for one in self._runner.functions}
        for tool in self._runner.tools:
            if isinstance(tool, McpServers):
                for server in tool.pending:
                    if server.name not in self._passed_over:
                        yield from self._connect(turn, tool, server)
        self._runner.refresh()
        _add_descriptions(turn.labels, [one for one in self._runner.functions if one.name not in known])

    def _connect(self, turn: ActingTurn, tool: McpServers, server: PendingServer) -> Generator[Event, None, None]:
        call = Call(tool.name, {}, (server.needs,), Effect(sends_to=(server.place,)))
        decision = self.authority.decide(call, {}, self._situation(turn))
        if isinstance(decision, Ask) and self._desk.is_staffed:
            decision = yield from self._ask(turn, call, decision, {})
        if not isinstance(decision, Allow):
            self._passed_over.add(server.name)
            yield Warned("tool-off", f"The MCP server {server.name} is not connected: {decision.why}.")
            return
        yield Progress(f"connecting {server.name}", 0, None)
        try:
            left_out = tool.connect(server.name, turn.cancellation)
        except CancelledError:
            raise
        except SatchelError as error:
            self._passed_over.add(server.name)
            self.authority.finished(call, error.code())
            yield Warned("tool-off", error.message)
            return
        self.authority.finished(call, "done")
        for told in left_out:
            yield Warned("tool-off", f"A tool of the MCP server {server.name} cannot be used: {told}")

    def prepare(self, call: ToolCall) -> PreparedCall:
        """Return a call as the broker would be asked about it.

        Raises:
            ToolError: there is no such function, or the arguments do not fit it.
        """
        return self._runner.prepare(call)

    def take_notes(self) -> list[Warned]:
        """Return what should be told once."""
        notes, self._notes = self._notes, []
        return notes

    def answer(self, question_id: str, answer: str) -> bool:
        """Answer a request or a question; from any thread. False where it is answered already or over."""
        return self._desk.give(question_id, answer)

    def cancel(self) -> None:
        """Stop the running call, or the wait for an answer; from any thread."""
        if (turn := self._turn) is not None:
            turn.cancellation.cancel()
        self._desk.wake()

    def close(self) -> None:
        """End the tools."""
        self._runner.close()

    def act(self, turn: ActingTurn, piece: ToolCall | BrokenCall) -> Generator[Event, None, CallOutcome]:
        """Take one call to its end; whatever happens, the model gets a result to read."""
        turn.calls += 1
        if isinstance(piece, BrokenCall):
            return (yield from self._refused(turn, piece, ToolError(reason=piece.reason), "broken"))
        try:
            prepared = self._runner.prepare(piece)
        except ToolError as error:
            return (yield from self._refused(turn, piece, error, "broken"))
        labels = label_arguments(prepared.asked.arguments, self._sources(turn))
        decision = self.authority.decide(prepared.asked, labels, self._situation(turn))
        if isinstance(decision, Ask):
            yield ToolRequested(_told(piece), "ask")
            decision = yield from self._ask(turn, prepared.asked, decision, labels)
        else:
            yield ToolRequested(_told(piece), "allow" if isinstance(decision, Allow) else "deny")
        if not isinstance(decision, Allow):
            refusal = DeniedError(tool=prepared.function.name, why=decision.why)
            return (yield from self._refused(turn, piece, refusal, "deny", is_told=True))
        known = CallLabels(labels, turn.labels.context, self.typed)
        outcome = yield from self._run(turn, prepared, decision, known)
        self.authority.finished(prepared.asked, outcome.failure or "done")
        yield from self._finished(turn, outcome, "allow")
        return outcome

    def _ask(
        self, turn: ActingTurn, call: Call, asked: Ask, labels: dict[str, Label]
    ) -> Generator[Event, None, Allow | Deny]:
        if not self._desk.is_staffed:
            turn.unasked += 1
            text = f"{call.tool} was not allowed, because nobody was there to ask: {asked.why}."
            yield Warned(NobodyToAskError.code(), text)
            return Deny("a person would have to allow it, and nobody is there")
        request = approval_request(call, asked, labels)
        self._desk.open(request.id)
        yield ApprovalNeeded(request.id, msgspec.json.decode(msgspec.json.encode(request)))
        answer = self._desk.wait(request.id, is_over=lambda: turn.cancellation.is_cancelled)
        if answer is None:
            raise CancelledError
        if answer not in {choice.value for choice in request.choices}:
            self.authority.declined(call)
            return Deny("the person said no")
        self.authority.answer(call, Choice(answer))
        # With the labels of this moment: an answer counts for the call as it was shown.
        again: Decision = self.authority.decide(call, labels, self._situation(turn))
        return again if isinstance(again, (Allow, Deny)) else Deny(again.why)

    def _run(
        self, turn: ActingTurn, prepared: PreparedCall, allowed: Allow, labels: CallLabels
    ) -> Generator[Event, None, CallOutcome]:
        """Run a call on a thread of its own, and pass on what it tells meanwhile."""
        outbox = queue.SimpleQueue[Event | CallOutcome | BaseException]()
        self._desk.show = outbox.put
        name = prepared.function.name
        yield Progress(f"using {name}", 0, None)

        def body() -> None:
            try:
                outcome = self._runner.run(
                    prepared,
                    allowed,
                    labels=labels,
                    cancellation=turn.cancellation,
                    progress=lambda stage, done, total: outbox.put(Progress(stage, done, total)),
                )
            except BaseException as error:  # noqa: BLE001 - a bug of ours ends the turn, and must not leave it waiting
                outbox.put(error)
            else:
                outbox.put(outcome)

        thread = threading.Thread(target=body, name=f"tool {name}", daemon=True)
        thread.start()
        try:
            while not isinstance(item := outbox.get(), (CallOutcome, BaseException)):
                yield item
        except BaseException:  # nobody reads the turn any more, or Ctrl-C
            turn.cancellation.cancel()
            raise
        finally:
            thread.join()
        if isinstance(item, BaseException):
            raise item
        return item

    def _refused(
        self,
        turn: ActingTurn,
        piece: ToolCall | BrokenCall,
        error: SatchelError,
        decision: str,
        *,
        is_told: bool = False,
    ) -> Generator[Event, None, CallOutcome]:
        outcome = failed(piece, error, CallLabels({}, turn.labels.context, self.typed))
        if not is_told:
            yield ToolRequested(_told(outcome.call), decision)
        yield from self._finished(turn, outcome, decision)
        return outcome

    def _finished(self, turn: ActingTurn, outcome: CallOutcome, decision: str) -> Generator[Event, None, None]:
        turn.labels.add(outcome.result.text, outcome.label)
        turn.labels.search_links |= frozenset(outcome.result.links)
        try:
            kept = tuple(path for one in outcome.result.artefacts if (path := self._keep_artefact(one)))
        except SatchelError as error:  # a full disk; what the call told is told all the same
            kept = ()
            yield Warned("artefacts-not-kept", f"Files that a tool made were not kept. {error.message}")
        else:
            if len(kept) < len(outcome.result.artefacts):
                yield Warned("artefacts-not-kept", "Files that a tool made were not kept; --artefacts DIR keeps them.")
        yield ToolFinished({**_told(outcome.call), "decision": decision}, outcome.result.text, kept)

    def _sources(self, turn: ActingTurn) -> Sources:
        return Sources(turn.labels.message, turn.labels.values, turn.labels.context)

    def _situation(self, turn: ActingTurn) -> Situation:
        labels = turn.labels
        return Situation(
            context=labels.context,
            received=self.authority.received,
            typed_addresses=labels.typed_addresses,
            search_links=labels.search_links,
            now=time.time(),
        )


def _add_descriptions(labels: ChatLabels, functions: Sequence[Function]) -> None:
    """Label what services say of themselves as their answers are labelled (DESIGN 5): it may hold instructions too."""
    for one in functions:
        if one.described_by:
            schema = msgspec.json.encode(one.parameters).decode()
            labels.add(f"{one.description}\n{schema}", result_of(one.described_by))


def _told(call: ToolCall) -> dict[str, Any]:
    return {"name": call.name, "arguments": dict(call.arguments)}
