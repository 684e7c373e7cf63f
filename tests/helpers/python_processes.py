"""Run Python in processes of its own, the way a person would start Satchel."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

TESTS = Path(__file__).parents[1]


def child_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's variables, with `tests/` importable."""
    return {**os.environ, "PYTHONPATH": str(TESTS), **(extra or {})}


def run_python(
    code: str, *arguments: str, folder: Path | None = None, extra: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; its standard input is empty."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        check=False,
        cwd=folder,
        encoding="utf-8",
        env=child_environment(extra),
        errors="surrogateescape",
        stdin=subprocess.DEVNULL,
        timeout=60,
    )


def run_satchel(
    arguments: Sequence[str | Path], *, folder: Path | None = None, extra: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `satchel ARGUMENTS`; its standard input is empty."""
    start = "import sys; from satchel.runtime.cli.main import main; sys.exit(main())"
    return run_python(start, *map(str, arguments), folder=folder, extra=extra)


def start_python(
    code: str, *arguments: str, folder: Path | None = None, extra: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start a program whose input and output are pipes."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env=child_environment(extra),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until(condition: Callable[[], object], *, seconds: float = 30.0) -> None:
    """Wait for what another process does and cannot tell, such as writing a file."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        threading.Event().wait(0.005)
