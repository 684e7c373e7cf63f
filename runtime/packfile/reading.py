"""Positioned reads from a pack, without mapping it: a file that is cut short meanwhile gives an error, never SIGBUS."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import msgspec

from satchel.runtime.packfile.errors import NotAPackError, PackChangedError, UnreadablePackError


class FileStamp(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Tells one state of one file from every other: whoever changes content changes `ctime_ns` (not on Windows)."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


def stamp_of(status: os.stat_result) -> FileStamp:
    """Return the stamp of what `os.stat` or `os.fstat` said."""
    return FileStamp(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def stamp_at(path: Path) -> FileStamp:
    """Return the stamp of the file at `path`.

    Raises:
        UnreadablePackError: it is not there.
    """
    try:
        return stamp_of(path.stat())
    except (OSError, ValueError) as error:
        raise UnreadablePackError(path=path, reason=_words(error)) from error


class PackReader:
    """An open file; reads may come from any thread."""

    def __init__(self, path: Path) -> None:
        """Open a regular file.

        Raises:
            UnreadablePackError: it is not there or may not be read.
            NotAPackError: it is no regular file.
        """
        self.path = path
        # O_NONBLOCK: opening a named pipe must not wait for its other end. O_BINARY: no line ends changed on Windows.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        try:
            if path.is_dir():  # Windows cannot open one at all
                raise NotAPackError(path=path, reason="it is a folder")
            self._handle = os.open(path, flags)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise UnreadablePackError(path=path, reason=_words(error)) from error
        status = os.fstat(self._handle)
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise NotAPackError(path=path, reason="it is no regular file")
        self.stamp = stamp_of(status)
        self.size = status.st_size
        self._seek_lock = threading.Lock()

    def read_at(self, offset: int, size: int) -> bytes:
        """Return exactly `size` bytes.

        Raises:
            PackChangedError: the file is not that long any more.
            UnreadablePackError: the disk fails.
        """
        parts = []
        while size:
            try:
                part = self._read(offset, size)
            except OSError as error:
                raise UnreadablePackError(path=self.path, reason=_words(error)) from error
            if not part:
                raise PackChangedError(path=self.path)
            parts.append(part)
            offset += len(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def fileno(self) -> int:
        """Return the handle, for mapping."""
        return self._handle

    def current_stamp(self) -> FileStamp:
        """Return the stamp that the open file has now."""
        return stamp_of(os.fstat(self._handle))

    def close(self) -> None:
        """Close the file; maps of it stay valid."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _read(self, offset: int, size: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self._handle, size, offset)
        with self._seek_lock:  # Windows has no pread
            os.lseek(self._handle, offset, os.SEEK_SET)
            return os.read(self._handle, size)


def _words(error: OSError | ValueError) -> str:
    return ((error.strerror if isinstance(error, OSError) else None) or str(error)).lower()
