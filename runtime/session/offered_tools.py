"""The tools that a language model is offered in one turn; none where the assistant has none."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from satchel.runtime.engine.base import Grammar, ToolCall
from satchel.runtime.session.events import Event
from satchel.runtime.tools.calls import BrokenCall

if TYPE_CHECKING:
    from satchel.runtime.session.acting import Acting, ActingTurn
    from satchel.runtime.tools.runner import CallOutcome


class OfferedTools:
    """One turn's way to its tools."""

    def __init__(self, acting: Acting | None, turn: ActingTurn | None) -> None:
        """Both, or neither."""
        self._acting = acting
        self._turn = turn
        self.descriptions = acting.descriptions if acting is not None else []

    @property
    def are_used_up(self) -> bool:
        """No more calls are made in this turn."""
        return self._turn is not None and self._turn.is_exhausted

    @property
    def grammar(self) -> Grammar | None:
        """What a call may look like."""
        return self._acting.grammar if self._acting is not None else None

    def begin(self) -> Generator[Event, None, None]:
        """Tell what should be told once, and connect what the person lets be connected."""
        if self._acting is not None and self._turn is not None:
            yield from self._acting.take_notes()
            yield from self._acting.connect(self._turn)
            self.descriptions = self._acting.descriptions

    def act(self, call: ToolCall | BrokenCall) -> Generator[Event, None, CallOutcome]:
        """Take one call to its end."""
        assert self._acting is not None  # without tools nothing is taken for a call
        assert self._turn is not None
        return (yield from self._acting.act(self._turn, call))
