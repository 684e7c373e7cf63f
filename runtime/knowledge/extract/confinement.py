"""What document parsers may do in Python: compute. A tripwire, not a sandbox: native code does not pass here.

The file's bytes come over the pipe, so that the child needs to open nothing but the code that it imports.
"""

from __future__ import annotations

import os
import sys
from typing import Any

_FORBIDDEN = (
    "socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system", "os.startfile",
    "os.remove", "os.rename", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown", "os.mkdir", "os.rmdir",
    "shutil.", "ftplib.", "smtplib.", "urllib.", "webbrowser.",
)  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class ForbiddenActionError(PermissionError):
    """A parser tried what no parser needs."""


def confine() -> None:
    """Forbid this process for good to write files, to read any but Python's own, to start processes and to connect."""
    code = _code_folders()

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, int):
                return
            if (flags or 0) & _WRITING or not os.path.realpath(os.fsdecode(path)).startswith(code):
                raise ForbiddenActionError(f"a parser may not open {os.fsdecode(path)}")
        elif event.startswith(_FORBIDDEN):
            raise ForbiddenActionError(f"a parser may not call {event}")

    sys.addaudithook(watch)


def _code_folders() -> tuple[str, ...]:
    folders = {sys.prefix, sys.base_prefix, *filter(None, sys.path)}
    for module in ("satchel.runtime", "satchel.runtime.knowledge.extract"):
        folders.update(getattr(sys.modules.get(module), "__path__", ()))
    return tuple(sorted(os.path.realpath(folder).rstrip(os.sep) + os.sep for folder in folders))
