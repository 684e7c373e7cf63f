"""The parent's side: starts a worker, calls it, and turns its death into an error and a restart."""

from __future__ import annotations

import contextlib
import importlib
import itertools
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Iterator
from types import TracebackType
from typing import IO, Any, BinaryIO, Self

import msgspec

from satchel.runtime.errors import (
    CancelledError,
    OutOfTimeError,
    SatchelError,
    WorkerDiedError,
    WorkerOutOfMemoryError,
)
from satchel.runtime.worker.frames import (
    CANCEL,
    ERROR,
    ITEM,
    RESULT,
    BrokenFrameError,
    ErrorPayload,
    read_frame,
    write_frame,
)
from satchel.runtime.worker.launching import ChildProcess, Launch, launch_plainly
from satchel.runtime.worker.limits import WorkerLimits

_CLOSE_SECONDS = 2.0
_STDERR_TAIL = 64_000
"""Characters: a trace of a hundred frames, which faulthandler prints at most, and what was said before it."""
_FAULTHANDLER = (
    *("Fatal Python error", "Stack (most recent call first)", "Current thread", "Thread 0x"),
    *("File ", "Extension modules", "<no Python frame>"),
)
_WATCHDOG = "Timeout ("
"""How faulthandler's trace begins when a worker ends itself because native code hangs (engine.template_limits)."""
_LOOK_AGAIN = object()
"""Among the replies: a deadline was set while somebody waited without one."""


class WorkerFailedError(SatchelError):
    """The {name} process failed: {reason}."""

    exit_code = 3
    remedy = "This is a bug in Satchel; please report it with the command that you ran."


class Worker:
    """A child process that serves the methods of one module; restarted at the next call after it died.

    One call runs at a time. `cancel` may be called from any thread, everything else from one thread at a time.
    """

    def __init__(
        self,
        module: str,
        *,
        name: str,
        limits: WorkerLimits | None = None,
        cancel_seconds: float = _CLOSE_SECONDS,
        launch: Launch = launch_plainly,
    ) -> None:
        """`module` is imported in the child and has `methods()`; `name` is what errors call it, such as "model".

        A cancelled call that has not stopped after `cancel_seconds` is ended with its process. `launch` starts it.
        """
        self.name = name
        self._cancel_seconds = cancel_seconds
        self._module = module
        self._limits = limits or WorkerLimits()
        self._launch = launch
        self._process: ChildProcess | None = None
        self._replies: queue.Queue[Any] = queue.Queue()
        self._reader: threading.Thread | None = None
        self._stderr: BinaryIO | None = None
        self._write_lock = threading.Lock()
        self._ids = itertools.count(1)
        self._current: int | None = None
        self._cancel_deadline: float | None = None
        """Until when the running call may go on; None while nobody cancelled it."""

    def start(self) -> None:
        """Start the process if it does not run; calling early hides its start-up behind other work."""
        if self._process is not None and self._process.poll() is None:
            return
        self._forget()
        try:
            self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
            self._process = self._launch(worker_command(self._module, self._limits), self._stderr)
        except OSError as error:  # no place for temporary files, too many processes
            self._forget()
            reason = f"it could not be started ({error.strerror or error})"
            raise WorkerDiedError(name=self.name, reason=reason) from error
        except SatchelError:
            self._forget()
            raise
        # Each process has a queue of its own, so that the end of an old one is never taken for the end of a new one.
        self._replies = queue.Queue()
        self._reader = threading.Thread(
            target=_read_replies, args=(self._process.stdout, self._replies), daemon=True, name=f"{self.name} replies"
        )
        self._reader.start()

    def call(self, method: str, params: dict[str, Any] | None = None, *, timeout: float | None = None) -> Any:
        """Run a method to its end and return its result; items on the way are dropped.

        Raises:
            WorkerDiedError: the process ended (crash, kill, out of memory).
            WorkerOutOfMemoryError: it needed more than its limits allow.
            OutOfTimeError: `timeout` seconds passed; the process is killed.
            CancelledError: it was cancelled, and stopped or was killed.
            SatchelError: what the method raised.
        """
        stream = self.stream(method, params, timeout=timeout)
        while True:
            try:
                next(stream)
            except StopIteration as end:
                return end.value

    def stream(
        self, method: str, params: dict[str, Any] | None = None, *, timeout: float | None = None
    ) -> Generator[Any, None, Any]:
        """Yield the items of a method as they come; the generator's return value is the method's result.

        Closing the generator early cancels the call and waits until the worker is free again.
        """
        self.start()
        call_id = next(self._ids)
        deadline = None if timeout is None else time.monotonic() + timeout
        self._send_call(call_id, method, params or {})
        finished = False
        try:
            while True:
                kind, payload = self._reply(call_id, deadline, timeout, method)
                if kind == ITEM:
                    yield payload
                    continue
                finished = True
                if kind == ERROR:
                    raise _rebuilt(payload, self.name)
                return payload
        except (WorkerDiedError, OutOfTimeError, CancelledError):
            finished = True
            raise
        finally:
            if not finished:
                self.cancel()
                with contextlib.suppress(SatchelError):
                    give_up = time.monotonic() + self._cancel_seconds
                    while self._reply(call_id, give_up, self._cancel_seconds, method)[0] == ITEM:
                        pass
            with self._write_lock:
                self._current = self._cancel_deadline = None

    def cancel(self) -> None:
        """Ask the running call to stop; without one, do nothing. Safe from any thread, but not in a signal's handler.

        A method that does not listen is ended with its process `cancel_seconds` later, and whoever waits for it gets
        `CancelledError`.
        """
        with self._write_lock:
            process, call_id = self._process, self._current
            if process is None or process.stdin is None or call_id is None or self._cancel_deadline is not None:
                return
            # First of all: writing to a process that no longer reads could block.
            self._cancel_deadline = time.monotonic() + self._cancel_seconds
            self._replies.put(_LOOK_AGAIN)
            with contextlib.suppress(OSError, ValueError):  # a dead one has nothing to stop
                write_frame(process.stdin, (call_id, CANCEL, None))

    @property
    def pid(self) -> int | None:
        """The process id while one is running."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def close(self) -> None:
        """End the process: politely, then by force."""
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        try:
            process.wait(_CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        self._forget()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send_call(self, call_id: int, method: str, params: dict[str, Any]) -> None:
        process = self._process
        assert process is not None  # `start` has run
        assert process.stdin is not None  # it was asked for with PIPE
        try:
            # Under the lock, so that a cancel comes either before the call or after it, never between its parts.
            with self._write_lock:
                write_frame(process.stdin, (call_id, method, params))
                self._current = call_id
        except (OSError, ValueError) as error:
            raise self._died() from error

    def _reply(self, call_id: int, deadline: float | None, timeout: float | None, stage: str) -> tuple[int, Any]:
        while True:
            ends = [end for end in (deadline, self._cancel_deadline) if end is not None]
            left = min(ends) - time.monotonic() if ends else None
            try:
                frame = self._replies.get(timeout=None if left is None else max(0.0, left))
            except queue.Empty:
                raise self._overdue(timeout, stage) from None
            if frame is _LOOK_AGAIN:
                continue
            if frame is None:
                raise self._died()
            if isinstance(frame, BrokenFrameError):
                if self._process is not None:
                    self._process.kill()
                self._forget()
                raise WorkerDiedError(name=self.name, reason="it sent bytes that are no reply")
            reply_id, kind, payload = frame
            if reply_id != call_id:  # a late item of a call that was cancelled
                continue
            if kind == ITEM and left is not None and left < 0:  # it goes on and on
                raise self._overdue(timeout, stage)
            return kind, payload

    def _overdue(self, timeout: float | None, stage: str) -> SatchelError:
        cancelled = self._cancel_deadline is not None
        if self._process is not None:
            self._process.kill()
        self._forget()
        return CancelledError() if cancelled else OutOfTimeError(seconds=f"{timeout:g}", stage=f"{self.name}: {stage}")

    def _died(self) -> WorkerDiedError:
        reason = "it is not running"
        if self._process is not None:
            try:
                code = self._process.wait(_CLOSE_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                code = self._process.wait()
            reason = _death(code)
            if tail := self._last_words():
                reason = f"{reason}; its last words: {tail}"
        self._forget()
        return WorkerDiedError(name=self.name, reason=reason)

    def _last_words(self) -> str:
        if self._stderr is None:
            return ""
        size = self._stderr.seek(0, 2)
        self._stderr.seek(max(0, size - _STDERR_TAIL))
        lines = self._stderr.read().decode(errors="replace").strip().splitlines()
        # faulthandler's trace comes last; the line that says why comes before it.
        told = [line for line in lines if line.strip() and not line.lstrip().startswith(_FAULTHANDLER)]
        if told and told[-1].startswith(_WATCHDOG):
            return "a step that nothing can interrupt took too long"
        return told[-1].strip()[:300] if told else ""

    def _forget(self) -> None:
        if self._process is not None:
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait()
            if self._reader is not None:
                self._reader.join(_CLOSE_SECONDS)
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
        if self._stderr is not None:
            self._stderr.close()
        self._process, self._reader, self._stderr = None, None, None


def worker_command(module: str, limits: WorkerLimits) -> list[str]:
    """Return the command line of a worker. `-P`: a `numpy.py` in the current folder must not be imported."""
    return [sys.executable, "-P", "-m", "satchel.runtime.worker", module, msgspec.json.encode(limits).decode()]


def _read_replies(pipe: IO[bytes] | None, replies: queue.Queue[Any]) -> None:
    """Hand over each reply, then None at the pipe's end or a `BrokenFrameError` where it holds something else."""
    assert pipe is not None  # it was asked for with PIPE
    last: BrokenFrameError | None = None
    try:
        while (frame := read_frame(pipe)) is not None:
            replies.put(_checked(frame))
    except BrokenFrameError as error:
        last = error
    except (OSError, ValueError):  # closed by `_forget`
        pass
    finally:
        replies.put(last)


def _checked(frame: Any) -> tuple[int, int, Any]:
    """Take a frame only in the shape of a reply: what parses hostile files may send anything."""
    try:
        reply_id, kind, payload = frame
        if kind == ERROR:
            payload = msgspec.convert(payload, ErrorPayload)
        elif kind not in {ITEM, RESULT}:
            raise BrokenFrameError
    except (TypeError, ValueError, msgspec.ValidationError) as error:
        raise BrokenFrameError from error
    return reply_id, kind, payload


def _rebuilt(payload: ErrorPayload, name: str) -> SatchelError:
    """Return the error that the worker raised, by its code; an unknown one becomes a `WorkerFailedError`."""
    if payload.code == WorkerOutOfMemoryError.code():
        return WorkerOutOfMemoryError(name=name)
    if payload.module.startswith("satchel.runtime.") and payload.module.endswith(".errors"):
        # Whoever calls need not have imported it; nothing but our own modules of errors is imported on a worker's word.
        with contextlib.suppress(ImportError):
            importlib.import_module(payload.module)
    for kind in _subclasses(SatchelError):
        if payload.code == kind.code():
            # Fields that are not those of its message, or are no longer of the type that it formats.
            with contextlib.suppress(LookupError, AttributeError, TypeError, ValueError):
                return kind(**payload.fields)
    return WorkerFailedError(name=name, reason=payload.message or payload.code)


def _subclasses(kind: type[SatchelError]) -> Iterator[type[SatchelError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _subclasses(child)


def _death(code: int) -> str:
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return f"it was killed by {name}"
    return f"it ended with code {code}"
