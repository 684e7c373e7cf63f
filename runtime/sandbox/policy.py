"""What one sandboxed program may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits of one program. It never has a network, and writes nowhere but in its own work folder."""

    readable: tuple[Path, ...] = ()
    """Files and folders that it may read and execute, besides the system's libraries and programs and this Python."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """All that it sees of an environment, besides PATH, HOME, TMPDIR and LANG."""
    memory_bytes: int = 2 << 30
    """Address space of each process."""
    resident_bytes: int = 4 << 30
    """Memory in use by all its processes together, looked at four times a second."""
    work_bytes: int = 256 << 20
    """Size of the work folder, which lies in memory under bubblewrap."""
    work_files: int = 10_000
    cpu_seconds: int = 600
    """Of each process, over its whole life; whoever waits for it keeps a time limit of their own."""
    open_files: int = 256
    threads: int = 128
    """Of all its processes together, the two of bubblewrap among them."""
    may_fork: bool = False
    """Start processes of its own, and see them in /proc."""
