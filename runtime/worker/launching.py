"""How a worker's process is started: as a plain child, or by whoever the caller passes in (the sandbox)."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import IO, BinaryIO, Protocol


class ChildProcess(Protocol):
    """What a worker needs of its process; `subprocess.Popen` has it."""

    @property
    def pid(self) -> int:
        """Its process id."""

    @property
    def stdin(self) -> IO[bytes] | None:
        """Where requests go."""

    @property
    def stdout(self) -> IO[bytes] | None:
        """Where replies come from."""

    def poll(self) -> int | None:
        """Return its exit code; None while it runs. Negative: the signal that ended it."""

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit code.

        Raises:
            subprocess.TimeoutExpired: it still runs.
        """

    def kill(self) -> None:
        """End it; one that has ended is no error."""


Launch = Callable[[list[str], BinaryIO], ChildProcess]
"""Starts a command whose standard error goes to a file; raises OSError or a SatchelError."""


def launch_plainly(command: list[str], errors: BinaryIO) -> ChildProcess:
    """Start a child with this process's own rights."""
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
