"""Long work as an object: it runs on a thread of its own, tells how far it is, can be cancelled, succeeds or fails.

Nothing that may take more than a few milliseconds runs on the GUI thread. What is told arrives on the GUI thread.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import shiboken6
from PySide6.QtCore import QObject, Signal

from satchel.builder.language import translate
from satchel.runtime.errors import CancelledError, SatchelError

_SECONDS_BETWEEN_STEPS = 0.05
_ESTIMATE_AFTER_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Step:
    """How far a piece of work is."""

    stage: str
    done: int
    total: int | None
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, as a person reads it."""

    message: str
    advice: str
    code: str
    details: str
    """For "Copy details": a bug's traceback, else the message and its code."""


class Task:
    """What the work gets: where to tell its steps, and whether to stop."""

    def __init__(self, tell: Callable[[str, object], None]) -> None:
        self._tell = tell
        self._cancelled = threading.Event()
        self._stop: Callable[[], None] | None = None
        self._told_at = 0.0
        self._stage = ""
        self._stage_began = 0.0

    @property
    def cancelled(self) -> bool:
        """True once the person has had enough."""
        return self._cancelled.is_set()

    def check(self) -> None:
        """Raise `CancelledError` when the person has had enough."""
        if self.cancelled:
            raise CancelledError

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """Tell a step (a `runtime.progress.Progress`); raises `CancelledError` when the person has had enough."""
        self.check()
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._stage_began, self._told_at = stage, now, 0.0
        if done == total or now - self._told_at >= _SECONDS_BETWEEN_STEPS:
            self._told_at = now
            self._tell("step", Step(stage, done, total, _seconds_left(now - self._stage_began, done, total)))

    def tell(self, item: object) -> None:
        """Hand something over while the work goes on: `Operation.told` passes it on."""
        self._tell("item", item)

    def when_cancelled(self, stop: Callable[[], None]) -> None:
        """Call `stop` from the GUI thread on a cancel, at once if it came already; it must be quick."""
        self._stop = stop
        if self.cancelled:
            stop()

    def cancel(self) -> None:
        """Ask the work to stop."""
        self._cancelled.set()
        if self._stop is not None:
            self._stop()


class Operation(QObject):
    """One piece of work; made and started by `Operations.run`."""

    progressed = Signal(object)
    """A `Step`."""
    told = Signal(object)
    """What the work hands over on its way."""
    succeeded = Signal(object)
    failed = Signal(object)
    """A `Failure`."""
    finished = Signal()
    """After success, failure or cancel."""
    _happened = Signal(str, object)

    def __init__(self, work: Callable[[Task], Any], name: str) -> None:
        super().__init__()
        self._work = work
        self._task = Task(self._happened.emit)
        # A bound method of an object that lives on the GUI thread: Qt carries the signal over there.
        self._happened.connect(self._on_happened)
        self._thread = threading.Thread(target=self._run, name=f"operation: {name}", daemon=True)
        self.running = False

    def start(self) -> None:
        """Begin."""
        self.running = True
        self._thread.start()

    def cancel(self) -> None:
        """Ask the work to stop; `finished` follows, neither `succeeded` nor `failed`."""
        self._task.cancel()

    def join(self, seconds: float) -> bool:
        """Wait for the thread to end; False when it has not."""
        if self._thread.ident is None:
            return True  # it never began
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            outcome: tuple[str, object] = ("success", self._work(self._task))
        except CancelledError:
            outcome = ("cancel", None)
        except SatchelError as error:
            outcome = ("failure", failure_of(error))
        except Exception as error:  # noqa: BLE001 - the one place where a bug becomes a message in the window
            outcome = ("failure", failure_of(error))
        self._happened.emit(*outcome)

    def _on_happened(self, kind: str, value: object) -> None:
        if kind == "step":
            if not self._task.cancelled:
                self.progressed.emit(value)
            return
        if kind == "item":
            if not self._task.cancelled:
                self.told.emit(value)
            return
        self.running = False
        if kind == "success" and not self._task.cancelled:
            self.succeeded.emit(value)
        elif kind == "failure" and not self._task.cancelled:
            self.failed.emit(value)
        self.finished.emit()


class Operations(QObject):
    """All work that is going on; ends it when the window closes."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._running: list[Operation] = []
        self._closed = False

    def run(
        self,
        work: Callable[[Task], Any],
        *,
        owner: QObject,
        name: str,
        succeeded: Callable[[Any], None] | None = None,
        failed: Callable[[Failure], None] | None = None,
        progressed: Callable[[Step], None] | None = None,
        told: Callable[[Any], None] | None = None,
    ) -> Operation:
        """Run `work` on a thread; the callables are called on the GUI thread, and only while `owner` is there.

        Once all was closed nothing begins any more: its thread would outlive the application.
        """
        operation = Operation(work, name)
        if self._closed:
            return operation

        def guarded(listener: Callable[[Any], None]) -> Callable[[Any], None]:
            def call(value: object) -> None:
                if shiboken6.isValid(owner):
                    listener(value)

            return call

        for signal, listener in (
            (operation.succeeded, succeeded),
            (operation.failed, failed),
            (operation.progressed, progressed),
            (operation.told, told),
        ):
            if listener is not None:
                signal.connect(guarded(listener))
        self._running.append(operation)
        operation.finished.connect(lambda: self._forget(operation))
        operation.start()
        return operation

    def close(self, seconds: float = 5.0) -> None:
        """Cancel everything and wait until it has stopped, for so many seconds in all."""
        self._closed = True
        for operation in list(self._running):
            operation.cancel()
        until = time.monotonic() + seconds
        for operation in list(self._running):
            operation.join(max(0.0, until - time.monotonic()))

    @property
    def busy(self) -> bool:
        """True while anything runs."""
        return bool(self._running)

    def _forget(self, operation: Operation) -> None:
        if operation in self._running:
            self._running.remove(operation)
            operation.join(1.0)  # its last signal is sent; only its return is left
            operation.deleteLater()


def failure_of(error: Exception) -> Failure:
    """Return an error as a person reads it; anything but a `SatchelError` is a bug and says so."""
    if isinstance(error, SatchelError):
        details = f"{error.code()} ({error.exit_code})\n{error.message}\n{error.advice}".strip()
        return Failure(error.message, error.advice, error.code(), details)
    message = translate("Errors", "Something went wrong in Satchel itself: {error}", error=str(error) or repr(error))
    advice = translate("Errors", "Copy the details and report them, please.")
    return Failure(message, advice, "bug", "".join(traceback.format_exception(error)))


def _seconds_left(elapsed: float, done: int, total: int | None) -> float | None:
    if not total or not done or elapsed < _ESTIMATE_AFTER_SECONDS:
        return None
    return elapsed / done * (total - done)
