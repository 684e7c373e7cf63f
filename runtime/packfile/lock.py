"""A lock between processes on a path that one of them is about to replace."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from satchel.runtime.errors import BusyError, SaveError


@contextlib.contextmanager
def locked(destination: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock of `destination`, an empty hidden file beside it, for the block; a killed holder leaves it free.

    Where the file system has no locks the block runs all the same: every write is atomic, so the last one stands.

    Raises:
        BusyError: another process holds it, and `wait` is false.
        SaveError: the folder is not writable.
    """
    path = destination.parent / f".{destination.name[:80]}.lock"
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        handle = _acquire(path, wait=wait)
    except OSError as error:
        raise SaveError(path=destination, reason=(error.strerror or str(error)).lower()) from error
    if handle is None:
        raise BusyError(path=destination)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # Windows does not remove an open file; it then stays, empty
            path.unlink()
        os.close(handle)


def _acquire(path: Path, *, wait: bool) -> int | None:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
        try:
            if not _lock(handle, wait=wait):
                os.close(handle)
                return None
            # The holder before us may have removed the file that we had opened: then our lock guards nothing.
            if _is_still(path, handle):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _is_still(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


def _lock(handle: int, *, wait: bool) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL}:
            return True
        if error.errno in {errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK}:
            return False
        raise
    return True
