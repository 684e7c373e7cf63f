"""The command line that puts a program into namespaces of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from satchel.runtime.sandbox import inside
from satchel.runtime.sandbox.policy import Policy

WORK = "/sandbox"
"""Where the work folder lies inside; no readable path may lie below it, so it is no name that people use."""
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
LAUNCHER = Path(inside.__file__).resolve()

_SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/alternatives",
    # Node ends itself when it may not read these, and goes on when they are not there.
    "/etc/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf",
)  # fmt: skip
_NOBODY = "65534"


def python_command() -> list[str]:
    """Return this Python, isolated from the environment, the person's own packages and the working folder."""
    return [sys.executable, "-I", "-B"]


def readable_paths(policy: Policy) -> tuple[str, ...]:
    """Return everything that a program may read: system libraries and programs, this Python, what its policy names."""
    paths = [*_SYSTEM, sys.base_prefix, sys.prefix, str(LAUNCHER), *map(str, policy.readable)]
    return tuple(dict.fromkeys(path for path in paths if os.path.lexists(path)))


def wrapped(bwrap: str, policy: Policy, readable: Iterable[str], command: Iterable[str]) -> list[str]:
    """Return `command` behind bubblewrap.

    No /proc unless the program may fork: a program alone needs none, and /proc/1/environ is how the launcher's
    environment leaked when this was tried. The root file system is empty, in memory, and read-only at the end.
    """
    arguments = [
        bwrap, "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts",
        "--unshare-cgroup-try", "--disable-userns", "--die-with-parent", "--new-session", "--cap-drop", "ALL",
        "--uid", _NOBODY, "--gid", _NOBODY, "--hostname", "sandbox", "--clearenv",
    ]  # fmt: skip
    for path in readable:
        place = Path(path)
        if place.is_symlink() and place.parent == Path("/"):  # /lib is a link to usr/lib on most systems
            arguments += ["--symlink", str(place.readlink()), path]
        else:
            arguments += ["--ro-bind", path, path]
    for device in DEVICES:
        arguments += ["--dev-bind-try", device, device]
    if policy.may_fork:
        arguments += ["--proc", "/proc"]
    arguments += ["--size", str(policy.work_bytes), "--tmpfs", WORK]
    return [*arguments, "--remount-ro", "/", "--chdir", WORK, "--", *command]
