"""The table of attempts: each returns when it got what it wanted, and raises when it did not."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Scene:
    """What lies around outside for an attempt to go after."""

    secret: str
    """A file of the person's."""
    spare: str
    """Another, which may be spoiled; each attempt has its own."""
    folder: str
    """Where both lie; writable by the person."""
    victim: int
    """A process of the person's."""
    parent: int
    tcp: int
    tcp6: int
    udp: int
    unix: str
    abstract: str
    shared_memory: int
    message_queue: int
    semaphores: int
    inherited: int
    """A descriptor of the secret that the parent left inheritable."""


@dataclass(frozen=True)
class Attempt:
    name: str
    action: Callable[[Scene], object]
    needs_root: bool
    """It is made as root only: nobody else can do it outside."""
    needs_namespaces: bool
    """Only bubblewrap keeps it from happening; what Landlock and seccomp alone cannot do."""


ATTEMPTS: dict[str, Attempt] = {}


def attempt(name, *, needs_root=False, needs_namespaces=False):
    def note(action):
        assert name not in ATTEMPTS, name
        ATTEMPTS[name] = Attempt(name, action, needs_root, needs_namespaces)
        return action

    return note


LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def syscall(number: int, *arguments) -> int:
    """Make a system call by its number on x86-64."""
    converted = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    return checked(LIBC.syscall(ctypes.c_long(number), *converted))


def checked(code: int) -> int:
    if code < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return code


def must(condition: object) -> None:
    if not condition:
        raise OSError(errno.ENOENT, "it did not happen")
