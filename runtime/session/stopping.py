"""Stops a turn from outside: when its time is up, or when a person presses Ctrl-C."""

from __future__ import annotations

import queue
import threading
from types import TracebackType
from typing import Self

from satchel.runtime.session.session import Session

_AGAIN_SECONDS = 0.1
"""A cancel between two calls of a worker reaches neither, so it is said again until the turn is over."""


class Stopping:
    """A thread beside one turn: `with Stopping(session):`. It cancels the turn from the moment when the stop begins."""

    def __init__(self, session: Session, *, after: float | None = None) -> None:
        """`after` that many seconds the stop begins by itself."""
        self._session = session
        self._after = None if after is None else min(after, threading.TIMEOUT_MAX)
        # The one queue that a signal's handler may put into: another's lock may be held by what the signal interrupted.
        self._turn_is_over: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._begun = False
        self._thread = threading.Thread(target=self._run, daemon=True, name="stopping")

    @property
    def begun(self) -> bool:
        """Whether the turn is being stopped."""
        return self._begun

    def begin(self) -> None:
        """Stop the turn now; safe in a signal's handler, where `Session.cancel` is not."""
        self._begun = True
        self._turn_is_over.put(False)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._turn_is_over.put(True)
        self._thread.join()

    def _run(self) -> None:
        wait = self._after
        while True:
            try:
                if self._turn_is_over.get(timeout=wait):
                    return
            except queue.Empty:
                self._begun = True
            self._session.cancel()
            wait = _AGAIN_SECONDS
