"""Workers in the sandbox: parsers of documents that strangers wrote, which need nothing but the code they import."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, BinaryIO

from satchel.runtime.sandbox.confinement import Confinement
from satchel.runtime.sandbox.policy import Policy
from satchel.runtime.sandbox.process import SandboxedProcess
from satchel.runtime.worker.launching import ChildProcess, Launch

_MOST_ERRORS = 1 << 20
_SIGNALLED = 128


def sandboxed(confinement: Confinement) -> Launch:
    """Return a way to start workers that read our code and Python's, and nothing else."""

    def launch(command: list[str], errors: BinaryIO) -> ChildProcess:
        policy = Policy(
            readable=code_folders(),
            # Without the environment that named it here, it finds our package where this process did.
            environment={"PYTHONPATH": ":".join(map(str, _search_path()))},
            # A worker lowers its own memory to what its work may take, and is timed by whoever waits for it.
            memory_bytes=16 << 30,
            cpu_seconds=24 * 3600,
            work_bytes=64 << 20,
        )
        return _SandboxedWorker(SandboxedProcess(command, policy, confinement), errors)

    return launch


def code_folders() -> tuple[Path, ...]:
    """Return where our own code lies, links followed: an installed package, or a checkout and what points to it."""
    import satchel.runtime

    places = [*_search_path(), *(Path(entry).resolve() for entry in satchel.runtime.__path__)]
    with contextlib.suppress(ImportError):
        import satchel.kernels

        places += [Path(entry).resolve() for entry in satchel.kernels.__path__]
    return tuple(dict.fromkeys(places))


def _search_path() -> list[Path]:
    # Imported already, as the parent of this very module. An editable installation names the checkout itself as well,
    # whose parent is a folder of the person's: only what is called like the package can be found by its parent.
    entries = map(Path, sys.modules["satchel"].__path__)
    return [entry.parent for entry in entries if entry.name == "satchel" and entry.is_dir()]


class _SandboxedWorker:
    """A sandboxed process with the face that a worker knows."""

    def __init__(self, process: SandboxedProcess, errors: BinaryIO) -> None:
        self._process, self._errors = process, errors
        self._drain = threading.Thread(target=self._keep_errors, name="sandboxed worker's errors", daemon=True)
        self._drain.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def stdin(self) -> IO[bytes] | None:
        return self._process.stdin

    @property
    def stdout(self) -> IO[bytes] | None:
        return self._process.stdout

    def poll(self) -> int | None:
        return None if self._process.is_running else self.wait()

    def wait(self, timeout: float | None = None) -> int:
        try:
            code = self._process.wait(timeout)
        except TimeoutError as error:
            raise subprocess.TimeoutExpired("a sandboxed worker", timeout or 0.0) from error
        self._drain.join(timeout)
        self._process.release()
        return _SIGNALLED - code if code > _SIGNALLED else code

    def kill(self) -> None:
        self._process.kill()

    def _keep_errors(self) -> None:
        kept = 0
        with contextlib.suppress(OSError, ValueError):  # closed meanwhile
            while chunk := self._process.stderr.read1(1 << 14):  # type: ignore[attr-defined]  # a BufferedReader
                if kept < _MOST_ERRORS:
                    self._errors.write(chunk)
                    self._errors.flush()
                    kept += len(chunk)
        with contextlib.suppress(OSError):
            self._process.stderr.close()
