"""What the last probing of this machine found, so that no command starts a process only to find it again.

Kept in the cache under all that the answer depends on: kernel, bubblewrap, Python, the person, what the system lets
users do, and this package's own code. A stale "on" lets nothing out: the sandbox is built anew for each program, and a
program whose sandbox cannot be built does not run.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import msgspec

from satchel.runtime.atomic import save_bytes
from satchel.runtime.errors import SaveError
from satchel.runtime.sandbox.probes import SandboxState, find_sandbox
from satchel.runtime.worker.launching import ChildProcess, Launch, launch_plainly

_FILE = "sandbox.json"
_SYSTEM_SETTINGS = (
    "/proc/sys/user/max_user_namespaces",
    "/proc/sys/kernel/unprivileged_userns_clone",
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    "/proc/sys/kernel/random/boot_id",
)


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    key: str
    state: SandboxState


class KnownSandbox:
    """This machine's sandbox, looked up when it is first asked for and not before."""

    def __init__(self, cache: Path, *, find: Callable[[], SandboxState] = find_sandbox) -> None:
        """`cache` is `Home.cache`; `find` probes."""
        self._file, self._find = cache / _FILE, find
        self._state: SandboxState | None = None

    def state(self, *, fresh: bool = False) -> SandboxState:
        """Return what is known, or with `fresh` what probing finds now."""
        if self._state is None or fresh:
            self._state = self._probed() if fresh else self._kept() or self._probed()
        return self._state

    @property
    def launch(self) -> Launch:
        """A way to start workers: in the sandbox where there is one, else as plain children; looked up at the start."""

        def start(command: list[str], errors: BinaryIO) -> ChildProcess:
            confinement = self.state().confinement if sys.platform == "linux" else None
            if confinement is None:
                return launch_plainly(command, errors)
            from satchel.runtime.sandbox.workers import sandboxed  # it needs Linux

            return sandboxed(confinement)(command, errors)

        return start

    def _kept(self) -> SandboxState | None:
        try:
            kept = msgspec.json.decode(self._file.read_bytes(), type=_Kept)
        except (OSError, msgspec.DecodeError):
            return None
        return kept.state if kept.key == _key() else None

    def _probed(self) -> SandboxState:
        state = self._find()
        # Where the cache cannot be written, probing again costs a tenth of a second.
        with contextlib.suppress(SaveError):
            save_bytes(self._file, msgspec.json.encode(_Kept(_key(), state)))
        return state


def _key() -> str:
    parts = [*platform.uname(), sys.executable, sys.version, str(getattr(os, "getuid", int)())]
    if (bwrap := shutil.which("bwrap")) is not None:
        state = Path(bwrap).stat()
        parts += [os.path.realpath(bwrap), str(state.st_size), str(state.st_mtime_ns), oct(state.st_mode)]
    for name in (*_SYSTEM_SETTINGS, *sorted(map(str, Path(__file__).parent.glob("*.py")))):
        try:
            parts.append(Path(name).read_text(encoding="utf-8"))
        except OSError:
            parts.append("")
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()
