"""What a tool is: named functions with JSON-schema arguments, the powers each call needs, and what comes back.

A tool holds no authority of its own: it says what a call would need and do (`Function.needs`, the label table), the
broker decides, and only then `runner` runs it, with a time limit and a cap on what it returns.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from satchel.runtime.errors import CancelledError, OutOfTimeError
from satchel.runtime.permissions.capabilities import Capability
from satchel.runtime.permissions.labels import HIGHEST, Label
from satchel.runtime.progress import SILENT, Progress

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file that a call made."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a call brings back."""

    text: str
    """What the model reads."""
    artefacts: tuple[Artefact, ...] = ()
    links: tuple[str, ...] = ()
    """Addresses exactly as a search returned them (`Situation.search_links`)."""
    kept: tuple[Label, ...] = ()
    """Labels of what the tool held before and used: notes, passages, variables (`label_table.label_result`)."""
    places: tuple[str, ...] = ()
    """Where it came from; empty: from where the call went."""
    narrowed: Label = HIGHEST
    """Joined with the label that the table gives it: a page of a private network is not for everyone."""


class Cancellation:
    """How a running call is asked to stop; from any thread."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._actions: list[Callable[[], None]] = []

    def cancel(self) -> None:
        """Ask it to stop: `check` raises from now on, and what was registered runs."""
        with self._lock:
            self._event.set()
            actions, self._actions = self._actions, []
        for action in actions:
            action()

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody asked."""
        return self._event.is_set()

    def when_cancelled(self, action: Callable[[], None]) -> None:
        """Run `action` (short, safe from any thread) once somebody asks; at once if somebody has."""
        with self._lock:
            if not self._event.is_set():
                self._actions.append(action)
                return
        action()


@dataclass(frozen=True, slots=True)
class CallContext:
    """What a running call is given besides its arguments."""

    deadline: float
    """On `time.monotonic`'s clock."""
    seconds: float
    """The whole time limit."""
    cancellation: Cancellation = field(default_factory=Cancellation)
    progress: Progress = SILENT
    label: Label = HIGHEST
    """Join of the arguments' labels and of all that the model saw: what is kept of the call is kept with it."""

    @property
    def seconds_left(self) -> float:
        """Never negative."""
        return max(0.0, self.deadline - time.monotonic())

    def check(self) -> None:
        """Return while the call may go on.

        Raises:
            CancelledError: somebody cancelled.
            OutOfTimeError: its time is up.
        """
        if self.cancellation.is_cancelled:
            raise CancelledError
        if time.monotonic() > self.deadline:
            raise OutOfTimeError(seconds=f"{self.seconds:g}", stage="the tool call")


def _nothing(_arguments: Arguments) -> tuple[Any, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One function that the model can call."""

    name: str
    description: str
    """For the model: what it does and when to call it."""
    parameters: Mapping[str, Any]
    """JSON schema of the arguments, an object; unknown ones are refused where it says `additionalProperties: false`."""
    run: Callable[[Arguments, CallContext], ToolResult]
    """Raises `ToolError` with what the model should read."""
    row: str = ""
    """Its row in the committed label table; empty: its name."""
    needs: Callable[[Arguments], tuple[Capability, ...]] = _nothing
    """Powers of one call with their exact arguments; raises `ToolError` for arguments that can name none."""
    destinations: Callable[[Arguments], tuple[str, ...]] = _nothing
    """Places that one call reaches (`permissions.places`)."""
    address: Callable[[Arguments], str] = lambda _arguments: ""
    """The address that the call itself chooses, if it does."""
    seconds: float = 30.0
    """Time limit."""
    described_by: str = ""
    """The place whose words the description and schema are: they are labelled as its answers. Empty: our own."""
    most_characters: int = 20_000
    """Of the result's text; what is longer is cut, and says so."""

    @property
    def table_row(self) -> str:
        """Where the label table has it."""
        return self.row or self.name


class Tool(Protocol):
    """One tool of an assistant, ticked as a whole by its author."""

    @property
    def name(self) -> str:
        """As in `assistant.toml`'s `[tools.NAME]`."""

    @property
    def functions(self) -> tuple[Function, ...]:
        """What the model can call."""

    def close(self) -> None:
        """End what it holds (processes, connections); a second call does nothing."""


def object_schema(required: Mapping[str, Any], optional: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the schema of an object with these properties and no others."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }
