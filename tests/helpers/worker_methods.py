"""What the tests' worker processes can do: behave, misbehave, and be taken for dead."""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from satchel.runtime.errors import SatchelError, SaveError
from satchel.runtime.project.errors import UnknownTemplateError
from satchel.runtime.worker.service import Call, Method


class OnlyHereError(SatchelError):
    """{what} is known to the worker alone."""

    exit_code = 12


def methods() -> dict[str, Method]:
    """Return the table that `Worker` serves."""
    return {
        "abort_with_words": _abort_with_words,
        "allocate": lambda params, _call: len(bytearray(params["bytes"])),
        "count": _count,
        "count_until_cancelled": _count_until_cancelled,
        "divide": lambda params, _call: params["a"] / params["b"],
        "echo": lambda params, _call: params,
        "exit": lambda params, _call: sys.exit(params["code"]),
        "hang": _hang,
        "hang_under_a_watchdog": _hang_under_a_watchdog,
        "import_file": _import_file,
        "leave_a_child_behind": _leave_a_child_behind,
        "never_listen": _never_listen,
        "pid": lambda _params, _call: os.getpid(),
        "print": _print,
        "raise": _raise,
        "return_what_no_frame_holds": lambda _params, _call: object(),
        "spin": _spin,
        "segfault": lambda _params, _call: ctypes.string_at(0),
        "write_raw": _write_raw,
    }


def _abort_with_words(_params: dict[str, Any], _call: Call) -> None:
    os.write(2, b"GGML_ASSERT(n_tokens <= n_batch) failed\n")
    os.abort()


def _count(params: dict[str, Any], call: Call) -> str:
    for number in range(params["to"]):
        call.emit(number)
    return "done"


def _count_until_cancelled(_params: dict[str, Any], call: Call) -> None:
    number = 0
    while True:
        call.emit(number)
        number += 1
        call.check()


def _hang(_params: dict[str, Any], call: Call) -> None:
    """Never end, whatever the parent asks."""
    call.emit(os.getpid())
    threading.Event().wait()


def _hang_under_a_watchdog(_params: dict[str, Any], _call: Call) -> None:
    faulthandler.dump_traceback_later(0.1, exit=True, file=2)
    threading.Event().wait()


def _import_file(params: dict[str, Any], _call: Call) -> str | None:
    return __import__(params["module"]).__file__


def _leave_a_child_behind(_params: dict[str, Any], _call: Call) -> int:
    """Start a process that outlives the worker and holds what it inherited."""
    return subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"]).pid


def _never_listen(_params: dict[str, Any], call: Call) -> None:
    """Send items for ever, whatever the parent asks."""
    while True:
        call.emit(os.getpid())


def _print(params: dict[str, Any], _call: Call) -> str:
    print(params["text"])  # noqa: T201 - what libraries do
    os.write(1, params["text"].encode())
    subprocess.run(["echo", params["text"]], check=True)
    return "said"


def _raise(params: dict[str, Any], _call: Call) -> None:
    match params["what"]:
        case "save":
            raise SaveError(path="tides.md", reason="the disk is full")
        case "template":
            raise UnknownTemplateError(name="x", known="blank")
        case "only here":
            raise OnlyHereError(what="The tide table")


def _spin(_params: dict[str, Any], _call: Call) -> None:
    while True:
        pass


def _write_raw(params: dict[str, Any], _call: Call) -> None:
    """Write bytes past the frames' own functions, as a parser taken over by its input could."""
    for handle in range(3, 16):
        try:
            if str(Path(f"/proc/self/fd/{handle}").readlink()).startswith("pipe:"):
                os.write(handle, params["bytes"] if not params["framed"] else _framed(params["bytes"]))
        except OSError:
            continue
    signal.pause()


def _framed(body: bytes) -> bytes:
    return struct.pack("<I", len(body)) + body
