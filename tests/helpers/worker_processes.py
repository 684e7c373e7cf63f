"""The module of methods that tests of workers call, and the end of a process."""

from __future__ import annotations

import os
import select

METHODS = "helpers.worker_methods"


def has_ended(pid: int, seconds: float = 5) -> bool:
    """Wait for the end of a process that need not be a child of this one."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)
