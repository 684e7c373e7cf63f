"""One chat's Python in the sandbox: its variables and files stay until it is closed, dies, or does not stop in time."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import mimetypes
import os
import select
import signal
import sys
import threading
import time
from pathlib import Path

import msgspec

from satchel.runtime.sandbox import beneath
from satchel.runtime.sandbox.bubblewrap import python_command
from satchel.runtime.sandbox.confinement import Confinement
from satchel.runtime.sandbox.policy import Policy
from satchel.runtime.sandbox.process import SandboxedProcess
from satchel.runtime.tools import interpreter_worker
from satchel.runtime.tools.base import Artefact, CallContext
from satchel.runtime.tools.errors import ToolError

LIBRARIES = ("numpy", "pandas", "matplotlib", "scipy", "sympy")
"""Told to the model where they are installed."""
_MOST_ANSWER = 1 << 20
_MOST_FILES = 20
_MOST_FILE_BYTES = 8 << 20
_INTERRUPT_SECONDS = 1.0
_PROGRAM = Path(interpreter_worker.__file__).resolve()
_POLICY = Policy(
    readable=(_PROGRAM,),
    # Two threads: a code tool that takes all cores stalls the model beside it.
    environment={
        "MPLBACKEND": "Agg",
        "OPENBLAS_NUM_THREADS": "2",
        "OMP_NUM_THREADS": "2",
        "MPLCONFIGDIR": ".matplotlib",
    },
)


class InterpreterDiedError(ToolError):
    """The interpreter ended ({reason}); its variables and files are gone. The next call starts a new one."""


class _Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text: str
    error: str


def installed_libraries() -> tuple[str, ...]:
    """Return those of `LIBRARIES` that the interpreter can import."""
    return tuple(name for name in LIBRARIES if importlib.util.find_spec(name) is not None)


class Interpreter:
    """A Python that runs one piece of code after another."""

    def __init__(self, confinement: Confinement, policy: Policy = _POLICY) -> None:
        self._confinement = confinement
        self._policy = policy
        self._process: SandboxedProcess | None = None
        self._buffer = b""
        self._seen: dict[str, tuple[int, int]] = {}
        self._given: dict[str, bytes] = {}
        self._lock = threading.Lock()
        """A call that was left behind may still be ending the process when the next one comes."""

    @property
    def is_running(self) -> bool:
        """Whether there are variables of earlier calls."""
        return self._process is not None and self._process.is_running

    def give(self, name: str, content: bytes) -> None:
        """Put a file into the folder in which the code runs, in this process and in those that follow it."""
        with self._lock:
            self._given[name] = content
            if self._process is not None:
                self._put(name, content)

    def run(self, code: str, context: CallContext) -> tuple[str, tuple[Artefact, ...]]:
        """Run code, and return what it printed (or its error) and the files that it made.

        Raises:
            InterpreterDiedError: it ended, or did not stop when its time was up.
            CancelledError, OutOfTimeError: and it stopped; its variables are kept.
        """
        with self._lock:
            return self._run(code, context)

    def _run(self, code: str, context: CallContext) -> tuple[str, tuple[Artefact, ...]]:
        process = self._started()
        with contextlib.suppress(BrokenPipeError):  # it is gone; reading says why
            process.stdin.write(json.dumps({"code": code}).encode() + b"\n")
            process.stdin.flush()
        answer = self._answer(process, context)
        context.check()
        text = "\n".join(part for part in (answer.text.rstrip("\n"), answer.error) if part)
        return text or "(nothing was printed)", self._artefacts(process)

    def close(self) -> None:
        """End it."""
        if (process := self._process) is not None:
            process.kill()  # wakes a call that waits for it
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._process is not None:
            self._process.close()
        self._process = None

    def _started(self) -> SandboxedProcess:
        if self._process is None or not self._process.is_running:
            self._end()
            command = [*python_command(), str(_PROGRAM)]
            process = SandboxedProcess(command, self._policy, self._confinement)
            # What it prints before its own streams are in place would fill the pipe.
            threading.Thread(target=_drain, args=(process,), name="interpreter's errors", daemon=True).start()
            self._process, self._buffer, self._seen = process, b"", {}
            for name, content in self._given.items():
                self._put(name, content)
        return self._process

    def _put(self, name: str, content: bytes) -> None:
        assert self._process is not None  # asked before
        beneath.write_file(self._process.work, name, content)
        self._note_files(self._process)

    def _answer(self, process: SandboxedProcess, context: CallContext) -> _Answer:
        woken, wake = os.pipe()

        def interrupt() -> None:
            with contextlib.suppress(OSError):
                os.write(wake, b".")

        context.cancellation.when_cancelled(interrupt)
        try:
            line = self._line(process, context.deadline, woken)
            if line is None:  # cancelled or out of time: its variables stay if it stops by itself
                process.interrupt()
                line = self._line(process, time.monotonic() + _INTERRUPT_SECONDS, None)
        finally:
            os.close(wake)
            os.close(woken)
        if line is None:
            self._end()
            context.check()
            raise InterpreterDiedError(reason="it did not stop when it was interrupted")
        try:
            return msgspec.json.decode(line, type=_Answer)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self._end()
            raise InterpreterDiedError(reason="it sent what is no answer") from error

    def _line(self, process: SandboxedProcess, deadline: float, woken: int | None) -> bytes | None:
        """Return the next line; None when time is up or somebody woke us."""
        output = process.stdout.fileno()
        waiting = [output] if woken is None else [output, woken]
        while b"\n" not in self._buffer:
            ready, _, _ = select.select(waiting, [], [], max(0.0, deadline - time.monotonic()))
            if output not in ready:
                return None
            chunk = os.read(output, 1 << 16)
            self._buffer += chunk
            if not chunk or len(self._buffer) > _MOST_ANSWER:
                process.kill()
                code = process.wait()
                reason = process.ended_for or (_death(code) if not chunk else "it sent too much")
                self._end()
                raise InterpreterDiedError(reason=reason)
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _artefacts(self, process: SandboxedProcess) -> tuple[Artefact, ...]:
        """Return the files that are new or changed since the call before."""
        before = self._seen
        self._note_files(process)
        made = list[Artefact]()
        for name, state in self._seen.items():
            if before.get(name) == state or len(made) == _MOST_FILES:
                continue
            try:
                content = beneath.read_file(process.work, name, max_bytes=_MOST_FILE_BYTES)
            except OSError:  # too large, or gone meanwhile
                continue
            made.append(Artefact(name, mimetypes.guess_type(name)[0] or "application/octet-stream", content))
        return tuple(made)

    def _note_files(self, process: SandboxedProcess) -> None:
        files = beneath.walk_files(process.work, max_files=self._policy.work_files)
        self._seen = {
            file.name: (file.size, file.modified_ns)
            for file in files
            if not any(part.startswith(".") or part == "__pycache__" for part in file.name.split("/"))
        }


def _drain(process: SandboxedProcess) -> None:
    with contextlib.suppress(OSError, ValueError):  # closed meanwhile
        while process.stderr.read1(1 << 16):  # type: ignore[attr-defined]  # a BufferedReader
            pass


def _death(code: int) -> str:
    if code > 128:  # noqa: PLR2004 - the shell's convention
        number = code - 128
        name = signal.Signals(number).name if number in {one.value for one in signal.Signals} else str(number)
        return f"signal {name}"
    return f"exit code {code}" if sys.platform != "win32" else "it ended"
