"""A program in the sandbox, from its start to its end."""

from __future__ import annotations

import array
import contextlib
import marshal
import os
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from satchel.runtime.sandbox import beneath, bubblewrap
from satchel.runtime.sandbox.confinement import Confinement
from satchel.runtime.sandbox.errors import SandboxStartError
from satchel.runtime.sandbox.policy import Policy

_START_SECONDS = 20.0
_WATCH_MILLISECONDS = 250
_END_MILLISECONDS = 5000
_CREDENTIALS = struct.Struct("3i")
_STDERR_BYTES = 4000


class SandboxedProcess:
    """A running program. Its standard streams are pipes; its work folder is `work`, an open folder.

    Closing it ends it and forgets the work folder.
    """

    def __init__(self, command: Sequence[str], policy: Policy, confinement: Confinement) -> None:
        """Start `command`, whose first part is the absolute path of a program that the policy lets it read.

        Raises:
            SandboxStartError: it did not get to run.
        """
        self._policy = policy
        self._folder: Path | None = None
        self._closed = False
        self.work = -1
        self.pid = 0
        """Of the program itself, as this process sees it."""
        self._handle = -1
        self.ended_for = ""
        """Why it was ended from outside: "too many threads", …; empty while it was not."""
        ours, theirs = socket.socketpair()
        orders = os.memfd_create("orders")
        try:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            ours.settimeout(_START_SECONDS)
            launched = self._launch_command(command, confinement, orders, theirs.fileno())
            self._keeper = _Keeper(self, launched, (orders, theirs.fileno()))
            self._popen = self._keeper.started()
            theirs.close()
            self._meet(ours, command[0])
        except OSError as error:
            self.close()
            raise SandboxStartError(program=command[0], reason=(error.strerror or str(error)).lower()) from error
        except BaseException:
            self.close()
            raise
        finally:
            os.close(orders)
            theirs.close()
            ours.close()

    @property
    def stdin(self) -> IO[bytes]:
        """The program's standard input."""
        return _present(self._popen.stdin)

    @property
    def stdout(self) -> IO[bytes]:
        """The program's standard output."""
        return _present(self._popen.stdout)

    @property
    def stderr(self) -> IO[bytes]:
        """The program's standard error; whoever starts a program must read it, or it waits when the pipe is full."""
        return _present(self._popen.stderr)

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit code (128 + signal where one ended it).

        Raises:
            TimeoutError: it still runs.
        """
        self._keeper.join(timeout)
        if self._keeper.is_alive():
            raise TimeoutError
        code = self._popen.returncode
        return 128 - code if code < 0 else code

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._keeper.is_alive()

    def kill(self) -> None:
        """End it, with all its children; from any thread."""
        # Without a PID namespace its children share its group. The keeper has not waited for it while it is alive.
        if self._keeper.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._popen.pid, signal.SIGKILL)
        if self._handle >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def interrupt(self) -> None:
        """Ask the program itself to stop what it does, as Ctrl-C would."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGINT)

    def close(self) -> None:
        """End it and forget its work folder; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        if (keeper := getattr(self, "_keeper", None)) is not None and hasattr(self, "_popen"):
            self.kill()
            keeper.join()
            if self._handle >= 0:
                # Bubblewrap has ended before what it started has.
                ended = select.poll()
                ended.register(self._handle, select.POLLIN)
                ended.poll(_END_MILLISECONDS)
            for stream in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
                with contextlib.suppress(OSError):  # what was not flushed into a pipe that nobody reads
                    _present(stream).close()
        self.release()

    def release(self) -> None:
        """Forget the work folder of a program that has ended; its streams can be read on."""
        for handle in (self.work, self._handle):
            if handle >= 0:
                os.close(handle)
        self.work = self._handle = -1
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _launch_command(self, command: Sequence[str], confinement: Confinement, orders: int, channel: int) -> list[str]:
        readable = bubblewrap.readable_paths(self._policy)
        if confinement.bwrap is None:
            self._folder = Path(tempfile.mkdtemp(prefix="satchel-work-"))
            work = str(self._folder)
        else:
            work = bubblewrap.WORK
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": work, "TMPDIR": work, "LANG": "C.UTF-8",
            **self._policy.environment,
        }  # fmt: skip
        os.write(
            orders,
            marshal.dumps({
                "work": work,
                "command": list(command),
                "environment": environment,
                "limits": self._limits(has_namespaces=confinement.bwrap is not None),
                "landlock": confinement.landlock_abi > 0,
                "readable": [*readable, "/proc"] if self._policy.may_fork and confinement.bwrap else readable,
                "devices": [device for device in bubblewrap.DEVICES if Path(device).exists()],
                "seccomp": confinement.call_filter(may_fork=self._policy.may_fork),
            }),
        )  # fmt: skip
        # Without site-packages: it starts in half the time, and runs nothing that was installed.
        launcher = [sys.executable, "-I", "-S", "-B", str(bubblewrap.LAUNCHER), str(orders), str(channel)]
        if confinement.bwrap is None:
            return launcher
        return bubblewrap.wrapped(confinement.bwrap, self._policy, readable, launcher)

    def _limits(self, *, has_namespaces: bool) -> dict[str, int]:
        policy = self._policy
        limits = {
            "RLIMIT_AS": policy.memory_bytes,
            "RLIMIT_CPU": policy.cpu_seconds,
            "RLIMIT_FSIZE": policy.work_bytes,
            "RLIMIT_NOFILE": policy.open_files,
            "RLIMIT_CORE": 0,
            "RLIMIT_MEMLOCK": 0,
            "RLIMIT_MSGQUEUE": 0,
            "RLIMIT_RTPRIO": 0,
            "RLIMIT_NICE": 0,
        }
        if has_namespaces:
            # Counted per user namespace since Linux 5.14; outside one it would count all that the person runs.
            # It does not bind root at all: the filter forbids forking, and the keeper counts threads.
            limits["RLIMIT_NPROC"] = policy.threads
        return limits

    def _meet(self, channel: socket.socket, program: str) -> None:
        """Take the work folder, and the process id as it is called here, from the launcher."""
        space = socket.CMSG_SPACE(_CREDENTIALS.size) + socket.CMSG_SPACE(4)
        message, extras, _, _ = channel.recvmsg(1, space, socket.MSG_CMSG_CLOEXEC)
        for level, kind, content in extras:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                self.pid = _CREDENTIALS.unpack(content)[0]
            elif (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                self.work = array.array("i", content)[0]
        if not message or self.work < 0:
            self.kill()
            self._keeper.join()
            reason = self.stderr.read(_STDERR_BYTES).decode(errors="replace").strip().lower()
            raise SandboxStartError(program=program, reason=reason or "it ended at once")
        self._handle = os.pidfd_open(self.pid)
        channel.send(b".")

    def exceeds_limits(self) -> str:
        """Return which limit it has passed that the kernel does not keep by itself; empty: none."""
        tasks, resident = _usage(self._popen.pid, self._policy.threads)
        if tasks > self._policy.threads:
            return "too many processes" if self._policy.may_fork else "too many threads"
        if resident > self._policy.resident_bytes:
            return "too much memory"
        if self.work < 0:
            return ""
        if self._folder is None:
            space = os.fstatvfs(self.work)
            return "too many files" if space.f_files - space.f_ffree > self._policy.work_files else ""
        count = size = 0
        for file in beneath.walk_files(self.work, max_files=self._policy.work_files + 1):
            count, size = count + 1, size + file.size
        if count > self._policy.work_files:
            return "too many files"
        return "its work folder is full" if size > self._policy.work_bytes else ""


class _Keeper(threading.Thread):
    """Starts the process and waits for it.

    A thread that lives exactly as long, because "die with the parent" means the *thread* that started a process: one
    that was started by a turn's thread would end with that turn.
    """

    def __init__(self, process: SandboxedProcess, command: Sequence[str], handles: tuple[int, ...]) -> None:
        super().__init__(name="sandbox keeper", daemon=True)
        self._process, self._command, self._handles = process, command, handles
        self._is_started = threading.Event()
        self._popen: subprocess.Popen[bytes] | None = None
        self._failure: OSError | None = None

    def started(self) -> subprocess.Popen[bytes]:
        """Start, and return the process.

        Raises:
            OSError: it could not be started.
        """
        self.start()
        self._is_started.wait()
        if self._failure is not None:
            self.join()
            raise self._failure
        assert self._popen is not None  # either it or a failure
        return self._popen

    def run(self) -> None:
        try:
            # An empty environment for bubblewrap itself too: its own /proc entry can be read by what it starts.
            self._popen = popen = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={},
                pass_fds=self._handles,
                process_group=0,
                cwd="/",
            )
        except OSError as error:
            self._failure = error
            return
        finally:
            self._is_started.set()
        handle = os.pidfd_open(popen.pid)
        ending = select.poll()
        ending.register(handle, select.POLLIN)
        try:
            while not ending.poll(_WATCH_MILLISECONDS):
                if reason := self._process.exceeds_limits():
                    self._process.ended_for = reason
                    os.killpg(popen.pid, signal.SIGKILL)
                    break
        finally:
            # What it started and left behind, where no PID namespace ends it. Not yet waited for, it keeps its number.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(popen.pid, signal.SIGKILL)
            popen.wait()
            os.close(handle)


def _usage(pid: int, most: int) -> tuple[int, int]:
    """Return the threads of a process and of all that it started, counting little past `most`, and their memory."""
    tasks = pages = 0
    waiting = [pid]
    while waiting and tasks <= most:
        place = Path(f"/proc/{waiting.pop()}")
        try:
            pages += int((place / "statm").read_text().split()[1])
            for task in (place / "task").iterdir():
                tasks += 1
                waiting += map(int, (task / "children").read_text().split())
        except OSError:  # it has ended meanwhile
            continue
    return tasks, pages * resource.getpagesize()


def _present(stream: Any) -> IO[bytes]:
    assert stream is not None  # asked for with PIPE
    result: IO[bytes] = stream
    return result
