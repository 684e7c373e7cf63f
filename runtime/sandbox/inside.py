"""The last of our code before a sandboxed program: limits itself for good, then becomes that program.

Run as a file by an isolated Python without site-packages, so it imports nothing of ours. It reads its orders from an
open file, hands the work folder to the parent over a socket, and then applies, in this order: resource limits,
Landlock, seccomp. Each can only be tightened from then on.
"""

from __future__ import annotations

import _socket  # `socket`, `json` and `array` would add 10 ms to each start
import ctypes
import marshal
import os
import resource
import struct
import sys
from typing import Any

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
_ABI_QUERY = 1
_PATH_BENEATH = 1
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _PR_CAPBSET_DROP = 1, 38, 22, 24
_PR_SET_CHILD_SUBREAPER = 36
_SECCOMP_MODE_FILTER = 2
_SIGKILL = 9
_LAST_CAPABILITY = 63

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_REMOVE, _MAKE_FOLDER, _MAKE_FILE, _MAKE_LINK, _MOVE = 0b11 << 4, 1 << 7, 1 << 8, 1 << 12, 1 << 13
# No devices, pipes or sockets, and nothing that was written here is executed.
_WORK = _WRITE_FILE | _READ_FILE | _READ_DIR | _REMOVE | _MAKE_FOLDER | _MAKE_FILE | _MAKE_LINK | _MOVE | _TRUNCATE
_OF_A_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_FILESYSTEM_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
_NETWORK_SINCE, _NETWORK_RIGHTS = 4, 0b11
_SCOPES_SINCE, _SCOPES = 6, 0b11

START_FAILED = 125
"""Exit code when something of this failed; the reason is on standard error."""


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("access", ctypes.c_uint64), ("parent", ctypes.c_int32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def landlock_abi() -> int:
    """Return the version of Landlock in this kernel; 0: there is none."""
    libc = ctypes.CDLL(None, use_errno=True)
    return max(0, int(libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_ABI_QUERY))))


def main() -> None:
    """Obey the orders in the file descriptor that the first argument names."""
    orders_file, channel = int(sys.argv[1]), int(sys.argv[2])
    try:
        orders = marshal.loads(os.pread(orders_file, os.fstat(orders_file).st_size, 0))  # noqa: S302 - our own bytes
        os.chdir(orders["work"])
        _hand_over_the_work_folder(channel)
        os.closerange(3, 1 << 16)
        _limit_resources(orders["limits"])
        libc = ctypes.CDLL(None, use_errno=True)
        _give_up_privileges(libc)
        if orders["landlock"]:
            _restrict_files(libc, orders)
        _filter_calls(libc, orders["seccomp"])
        os.execve(orders["command"][0], orders["command"], orders["environment"])  # noqa: S606 - what this is for
    except (OSError, ValueError) as error:
        os.write(2, f"{error}\n".encode(errors="replace"))
        os._exit(START_FAILED)


def _hand_over_the_work_folder(channel: int) -> None:
    folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    parent = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM, 0, channel)
    parent.sendmsg([b"."], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack("i", folder))])
    # Until it is taken, so that nothing runs that the parent does not know.
    parent.recv(1)
    parent.close()
    os.close(folder)


def _limit_resources(limits: dict[str, int]) -> None:
    for name, value in limits.items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (lowest, lowest))


def _give_up_privileges(libc: Any) -> None:
    _checked(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")
    _checked(libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0), "ending with its parent")
    # What its children leave behind stays below it, where it is counted and ended.
    _checked(libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "keeping its children")
    for capability in range(_LAST_CAPABILITY + 1):
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails for those that are not there, or dropped already


def _restrict_files(libc: Any, orders: dict[str, Any]) -> None:
    abi = landlock_abi()
    handled = _FILESYSTEM_RIGHTS[min(abi, max(_FILESYSTEM_RIGHTS))]
    ruleset = _Ruleset(handled, _NETWORK_RIGHTS if abi >= _NETWORK_SINCE else 0, _SCOPES if abi >= _SCOPES_SINCE else 0)
    handle = _checked(
        libc.syscall(_CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(ctypes.sizeof(ruleset)), 0), "Landlock"
    )
    paths = [(path, _READ) for path in orders["readable"]] + [(orders["work"], _WORK)]
    paths += [(path, _READ_FILE | _WRITE_FILE) for path in orders["devices"]]
    for path, access in paths:
        place = os.open(path, os.O_PATH)
        of_its_kind = handled if os.path.isdir(path) else handled & _OF_A_FILE  # noqa: PTH112 - pathlib costs 4 ms
        beneath = _Beneath(access & of_its_kind, place)
        _checked(libc.syscall(_ADD_RULE, handle, _PATH_BENEATH, ctypes.byref(beneath), 0), path)
        os.close(place)
    _checked(libc.syscall(_RESTRICT_SELF, handle, 0), "Landlock")
    os.close(handle)


def _filter_calls(libc: Any, code: bytes) -> None:
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    _checked(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0), "seccomp")


def _checked(code: int, what: str) -> int:
    if code < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
    return code


if __name__ == "__main__":
    main()
