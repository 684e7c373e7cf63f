"""Run a program in the sandbox to its end, with caps on its time and on what it prints."""

from __future__ import annotations

import selectors
import time
from collections.abc import Sequence
from dataclasses import dataclass

from satchel.runtime.sandbox import beneath
from satchel.runtime.sandbox.confinement import Confinement
from satchel.runtime.sandbox.policy import Policy
from satchel.runtime.sandbox.process import SandboxedProcess

_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended, and what it left."""

    exit_code: int
    """128 + signal where one ended it."""
    stdout: bytes
    stderr: bytes
    ended_for: str
    """Why it was ended from outside ("out of time", "it printed too much", …); empty: it ended by itself."""
    files: dict[str, bytes]
    """What was asked back out of its work folder, and was there."""


def run_to_end(
    command: Sequence[str],
    policy: Policy,
    confinement: Confinement,
    *,
    seconds: float,
    stdin: bytes = b"",
    files: dict[str, bytes] | None = None,
    wanted: Sequence[str] = (),
    max_output_bytes: int = 1 << 20,
) -> Outcome:
    """Put `files` into the work folder, run `command`, and bring `wanted` files back.

    Raises:
        SandboxStartError: it did not get to run.
    """
    with SandboxedProcess(command, policy, confinement) as process:
        for name, content in (files or {}).items():
            beneath.write_file(process.work, name, content)
        streams, ended_for = _pump(process, stdin, time.monotonic() + seconds, max_output_bytes)
        process.kill()
        code = process.wait()
        found = {}
        for name in wanted:
            try:
                found[name] = beneath.read_file(process.work, name, max_bytes=policy.work_bytes)
            except OSError:  # a link, no file, or not there
                continue
        return Outcome(code, streams[0], streams[1], ended_for or process.ended_for, found)


def _pump(process: SandboxedProcess, stdin: bytes, deadline: float, most: int) -> tuple[tuple[bytes, bytes], str]:
    """Write and read until both outputs end."""
    outputs = {process.stdout: bytearray(), process.stderr: bytearray()}
    waiting = memoryview(stdin)
    with selectors.DefaultSelector() as selector:
        for stream in outputs:
            selector.register(stream, selectors.EVENT_READ)
        selector.register(process.stdin, selectors.EVENT_WRITE)
        reason = ""
        while not reason and any(stream in selector.get_map() for stream in outputs):
            ready = {key.fileobj for key, _ in selector.select(max(0.0, deadline - time.monotonic()))}
            for stream in outputs.keys() & ready:
                chunk = stream.read1(_CHUNK)  # type: ignore[attr-defined]  # a BufferedReader
                outputs[stream] += chunk
                if not chunk:
                    selector.unregister(stream)
            if process.stdin in ready:
                waiting = _write_some(process, waiting)
                if not waiting:
                    selector.unregister(process.stdin)
                    process.stdin.close()
            if sum(map(len, outputs.values())) > most:
                reason = "it printed too much"
            elif time.monotonic() > deadline:
                reason = "out of time"
    stdout, stderr = (bytes(text[:most]) for text in outputs.values())
    return (stdout, stderr), reason


def _write_some(process: SandboxedProcess, waiting: memoryview) -> memoryview:
    """Write no more than a pipe takes at once, so that it never blocks; return what is left."""
    try:
        return waiting[process.stdin.raw.write(waiting[:4096]) :]  # type: ignore[attr-defined]  # a BufferedWriter
    except BrokenPipeError:
        return waiting[:0]
