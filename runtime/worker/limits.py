"""Limits that a worker puts on itself before it touches any input."""

from __future__ import annotations

import sys

import msgspec


class WorkerLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a worker may use; None means no limit. Enforced by the kernel on Linux and macOS, not on Windows."""

    memory_bytes: int | None = None
    """Address space (RLIMIT_AS); an allocation past it fails inside the worker."""
    cpu_seconds: int | None = None
    file_bytes: int | None = None
    """Largest file that it may write."""


def apply_limits(limits: WorkerLimits) -> None:
    """Lower this process's own limits; they cannot be raised again, so a lower one that it came with stays."""
    if sys.platform == "win32":
        return
    import resource

    for kind, value in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
    ):
        if value is not None:
            hard = resource.getrlimit(kind)[1]
            lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(kind, (lowest, lowest))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
