"""What decides whether the sandbox is on: attempts that must fail inside, and a few that must succeed.

One program tries them all, in 0.1 s, with the same policy as the code tool; only where every attempt goes as it must is
the sandbox on. The full list of attacks is in tests/runtime/sandbox/.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from satchel.runtime.errors import SatchelError
from satchel.runtime.sandbox.confinement import Confinement
from satchel.runtime.sandbox.errors import SandboxOffError
from satchel.runtime.sandbox.policy import Policy

_SECONDS = 20.0
_LANDLOCK_GUARDS_TRUNCATION_SINCE = 3

# Runs inside. Each name says what must not happen; the value is what happened.
_ATTEMPTS = """
import json, os, socket, sys, threading
secret, place, port, parent = sys.argv[1:]
def attempt(action):
    try:
        action()
    except (OSError, MemoryError):
        return False
    return True
def thread():
    one = threading.Thread(target=lambda: None)
    one.start(); one.join()
def signal():
    os.kill(int(parent), 0)
print(json.dumps({
    "write in its work folder": attempt(lambda: open("mine", "w").close()),
    "start a thread": attempt(thread),
    "read a file of yours": attempt(lambda: open(secret).read()),
    "write beside it": attempt(lambda: open(place, "w").write("x")),
    "read /etc/passwd": attempt(lambda: open("/etc/passwd").read()),
    "read another process's environment": attempt(lambda: open("/proc/1/environ").read()),
    "reach the network": attempt(lambda: socket.create_connection(("127.0.0.1", int(port)), 5).close()),
    "start a process": attempt(os.fork),
    "signal Satchel": attempt(signal),
    "take all memory": attempt(lambda: bytearray(1 << 40)),
    "see an environment": bool(set(os.environ) - {"PATH", "HOME", "TMPDIR", "LANG", "LC_CTYPE"}),
}))
"""
_MUST_SUCCEED = ("write in its work folder", "start a thread")


@dataclass(frozen=True, slots=True)
class Probed:
    """One way of confining and what its probes found."""

    confinement: Confinement
    problem: str
    """Empty: every probe went as it must."""


@dataclass(frozen=True, slots=True)
class SandboxState:
    """Whether there is a sandbox on this machine, and why or why not."""

    probed: tuple[Probed, ...]
    problem: str = ""
    """What made probing pointless: another system, or no libseccomp."""

    @property
    def confinement(self) -> Confinement | None:
        """The first way whose probes all passed."""
        return next((one.confinement for one in self.probed if not one.problem), None)

    @property
    def in_words(self) -> str:
        """One line for `doctor` and for the page of the tools."""
        if (confinement := self.confinement) is not None:
            return f"on: {confinement.in_words}"
        reasons = "; ".join(f"{one.confinement.in_words}: {one.problem}" for one in self.probed)
        return f"off: {self.problem or reasons}"

    def require(self) -> Confinement:
        """Return the confinement.

        Raises:
            SandboxOffError: says why it is off.
        """
        if (confinement := self.confinement) is None:
            raise SandboxOffError(reason=self.in_words.removeprefix("off: "))
        return confinement


def find_sandbox(*, every_way: bool = False) -> SandboxState:
    """Probe this machine: bubblewrap first, and Landlock alone where unprivileged user namespaces are forbidden.

    `every_way` tries Landlock alone too where bubblewrap will do, so that a person sees what would be left without it.
    """
    if sys.platform != "linux":
        return SandboxState((), f"there is none for {sys.platform}; it needs Linux")
    from satchel.runtime.sandbox.inside import landlock_abi  # of Linux, as all that it imports

    abi = landlock_abi()
    ways = []
    if (bwrap := shutil.which("bwrap")) is not None:
        ways.append(Confinement(bwrap, abi))
    if abi >= _LANDLOCK_GUARDS_TRUNCATION_SINCE:
        ways.append(Confinement(None, abi))
    if not ways:
        return SandboxState((), "bubblewrap is not installed, and this kernel has no Landlock that would do alone")
    probed: list[Probed] = []
    for way in ways:
        probed.append(Probed(way, probe(way)))
        if not probed[-1].problem and not every_way:
            break
    return SandboxState(tuple(probed))


def probe(confinement: Confinement) -> str:
    """Return what is wrong with a way of confining; empty: nothing that these probes could find."""
    from satchel.runtime.sandbox import bubblewrap
    from satchel.runtime.sandbox.running import run_to_end

    with tempfile.TemporaryDirectory(prefix="satchel-probe-") as folder, socket.socket() as listener:
        secret = Path(folder, "secret")
        secret.write_text("nobody else's")
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        arguments = (str(secret), str(Path(folder, "beside")), str(listener.getsockname()[1]), str(os.getpid()))
        command = [*bubblewrap.python_command(), "-c", _ATTEMPTS, *arguments]
        try:
            outcome = run_to_end(command, Policy(), confinement, seconds=_SECONDS)
        except SatchelError as error:
            return error.message
    if outcome.exit_code or outcome.ended_for:
        return outcome.ended_for or outcome.stderr.decode(errors="replace").strip()[-300:] or "the probes ended early"
    try:
        happened: dict[str, bool] = json.loads(outcome.stdout)
    except ValueError:
        return "the probes printed nothing that can be read"
    wrong = [
        f"a program could {'not ' if what in _MUST_SUCCEED else ''}{what}"
        for what, did in happened.items()
        if did != (what in _MUST_SUCCEED)
    ]
    return "; ".join(wrong)
