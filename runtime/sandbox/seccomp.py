"""The system-call filter, compiled by libseccomp (a C library that apt, systemd and Docker need, so it is there).

Called through ctypes: its Python binding is not on the index, and `pyseccomp`, which is, has had no release since 2021.
"""

from __future__ import annotations

import ctypes
import errno
import os
from dataclasses import dataclass
from typing import Any

from satchel.runtime.sandbox import allowed_calls
from satchel.runtime.sandbox.errors import SandboxOffError

# seccomp.h
_ALLOW = 0x7FFF0000
_KILL_PROCESS = 0x80000000
_ERRNO = 0x00050000
_DO_NOTHING = _ERRNO | 0
_NOT_PERMITTED = _ERRNO | errno.EPERM
_NOT_IMPLEMENTED = _ERRNO | errno.ENOSYS
_EQUAL, _MASKED_EQUAL = 4, 7
_ON_BAD_ARCHITECTURE, _OPTIMIZE = 2, 8
_BINARY_TREE = 2

_CLONE_THREAD = 0x00010000
# New mount, cgroup, UTS, IPC, user, PID and network namespaces.
_CLONE_NAMESPACES = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
_SET_ID_BITS = 0o6000
_UNIX, _STREAM, _SOCKET_TYPE_MASK = 1, 1, 0xF
# TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX; TIOCSTI and TIOCLINUX would type into the terminal.
_IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
# PR_GET_DUMPABLE, PR_SET_NAME, PR_GET_NAME, PR_GET_SECCOMP, PR_CAPBSET_READ, PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS,
# PR_SET_VMA. Not PR_SET_PDEATHSIG: it would let a program outlive us.
_PRCTLS = (3, 15, 16, 21, 23, 38, 39, 0x53564D41)


@dataclass(frozen=True, slots=True)
class FilterOptions:
    """What depends on the program and on what else confines it."""

    may_fork: bool
    has_namespaces: bool
    """Bubblewrap's: other processes and the person's files cannot be named."""
    signals_are_scoped: bool
    """By a PID namespace or by Landlock (ABI 6)."""


class _Comparison(ctypes.Structure):
    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64))


def compile_filter(options: FilterOptions) -> bytes:
    """Return the filter as an array of `struct sock_filter` for this machine's architecture.

    Raises:
        SandboxOffError: libseccomp is not there or refuses.
    """
    rules = _Rules(_load())
    for name in allowed_calls.ALWAYS:
        rules.add(_ALLOW, name)
    for name in allowed_calls.REFUSED:
        rules.add(_NOT_PERMITTED, name)
    _add_children(rules, options)
    _add_partly_allowed(rules)
    for name in allowed_calls.SIGNALS:
        rules.add(_ALLOW if options.signals_are_scoped else _NOT_PERMITTED, name)
    for name in allowed_calls.TIMES:
        rules.add(_ALLOW if options.has_namespaces else _DO_NOTHING, name)
    for name, mode in allowed_calls.MODES.items():
        if options.has_namespaces:
            rules.add(_ALLOW, name, (mode, _MASKED_EQUAL, _SET_ID_BITS, 0))
        else:
            rules.add(_DO_NOTHING, name)
    return rules.export()


def _add_children(rules: _Rules, options: FilterOptions) -> None:
    """Say which kinds of clone there are.

    clone3 passes its flags in memory, where a filter does not see them; "not implemented" makes glibc take clone.
    """
    if not options.may_fork:
        rules.add(_ALLOW, "clone", (0, _MASKED_EQUAL, _CLONE_NAMESPACES | _CLONE_THREAD, _CLONE_THREAD))
        rules.add(_NOT_PERMITTED, "clone", (0, _MASKED_EQUAL, _CLONE_THREAD, 0))
        for name in allowed_calls.FORKING:
            rules.add(_NOT_PERMITTED, name)
        return
    rules.add(_ALLOW, "clone", (0, _MASKED_EQUAL, _CLONE_NAMESPACES, 0))
    for name in (*allowed_calls.FORKING, *(allowed_calls.SESSIONS if options.has_namespaces else ())):
        rules.add(_ALLOW, name)


def _add_partly_allowed(rules: _Rules) -> None:
    """Allow some calls with some arguments."""
    # Another process's limits could be lowered.
    rules.add(_ALLOW, "prlimit64", (0, _EQUAL, 0, 0))
    rules.add(_ALLOW, "setrlimit")
    # A datagram socket of a pair could still be sent to /dev/log or an abstract address.
    rules.add(_ALLOW, "socketpair", (0, _EQUAL, _UNIX, 0), (1, _MASKED_EQUAL, _SOCKET_TYPE_MASK, _STREAM))
    for code in _IOCTLS:
        rules.add(_ALLOW, "ioctl", (1, _EQUAL, code, 0))
    for code in _PRCTLS:
        rules.add(_ALLOW, "prctl", (0, _EQUAL, code, 0))


class _Rules:
    def __init__(self, library: Any) -> None:
        self._library = library
        self._context = library.seccomp_init(_NOT_IMPLEMENTED)
        if not self._context:
            raise SandboxOffError(reason="libseccomp cannot make a filter here")
        # 32-bit calls on a 64-bit machine have other numbers.
        self._check("architecture", library.seccomp_attr_set(self._context, _ON_BAD_ARCHITECTURE, _KILL_PROCESS))
        library.seccomp_attr_set(self._context, _OPTIMIZE, _BINARY_TREE)  # refused by libseccomp < 2.5: slower, as good

    def add(self, action: int, name: str, *comparisons: tuple[int, int, int, int]) -> None:
        number = self._library.seccomp_syscall_resolve_name(name.encode())
        if number < 0:  # not of this architecture, or newer than this libseccomp
            return
        array = (_Comparison * len(comparisons))(*(_Comparison(*one) for one in comparisons))
        code = self._library.seccomp_rule_add_array(self._context, action, number, len(comparisons), array)
        self._check(name, code)

    def export(self) -> bytes:
        handle = os.memfd_create("seccomp")
        try:
            self._check("export", self._library.seccomp_export_bpf(self._context, handle))
            return os.pread(handle, os.fstat(handle).st_size, 0)
        finally:
            os.close(handle)
            self._library.seccomp_release(self._context)

    @staticmethod
    def _check(what: str, code: int) -> None:
        if code:
            raise SandboxOffError(reason=f"libseccomp refuses a rule ({what}: {os.strerror(-code)})")


def _load() -> Any:
    try:
        library = ctypes.CDLL("libseccomp.so.2")
    except OSError as error:
        raise SandboxOffError(reason="libseccomp is not installed") from error
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_init.argtypes = (ctypes.c_uint32,)
    library.seccomp_attr_set.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_uint32)
    library.seccomp_rule_add_array.argtypes = (
        ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p,
    )  # fmt: skip
    library.seccomp_export_bpf.argtypes = (ctypes.c_void_p, ctypes.c_int)
    library.seccomp_release.argtypes = (ctypes.c_void_p,)
    return library
