"""Files below a folder that is held open: no name, link or race leads out of it.

Each part of a path is opened from the folder before it with O_NOFOLLOW, so a symbolic link is an error wherever it
stands and whoever planted it when. Same method: openat2(2) with RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS, which Python
lacks and which macOS does not have.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
# Opening a pipe would wait for its other end, a terminal could become ours.
_FILE = (
    getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A regular file below a folder."""

    name: str
    """Relative, with `/` between its parts."""
    size: int
    modified_ns: int


def split_name(name: str) -> tuple[str, ...]:
    """Return the parts of a relative name.

    Raises:
        OSError: it is absolute, empty, or would climb.
    """
    parts = tuple(part for part in name.split("/") if part != ".")
    if not parts or name.startswith("/") or any(part in ("", "..") or "\0" in part for part in parts):
        raise OSError(errno.EINVAL, "this is no name below the folder")
    return parts


def open_folder(root: int, parts: tuple[str, ...], *, create: bool = False) -> int:
    """Open the folder that `parts` name below `root`; the caller closes it.

    Raises:
        OSError: a part is missing, no folder, or a symbolic link.
    """
    handle = os.dup(root)
    try:
        for part in parts:
            try:
                inner = os.open(part, _FOLDER, dir_fd=handle)
            except FileNotFoundError:
                if not create:
                    raise
                os.mkdir(part, 0o755, dir_fd=handle)
                inner = os.open(part, _FOLDER, dir_fd=handle)
            os.close(handle)
            handle = inner
    except BaseException:
        os.close(handle)
        raise
    return handle


def open_file(root: int, name: str) -> int:
    """Open a regular file for reading; the caller closes it.

    Raises:
        OSError: it is missing, no regular file, or a part of its name is a symbolic link.
    """
    *folders, last = split_name(name)
    folder = open_folder(root, tuple(folders))
    try:
        handle = os.open(last, os.O_RDONLY | _FILE, dir_fd=folder)
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "it is no regular file")
    return handle


def read_file(root: int, name: str, *, max_bytes: int) -> bytes:
    """Return a file's bytes.

    Raises:
        OSError: as `open_file`, or it holds more than `max_bytes`.
    """
    handle = open_file(root, name)
    with os.fdopen(handle, "rb") as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise OSError(errno.EFBIG, f"it is larger than {max_bytes:,} bytes")
    return content


def write_file(root: int, name: str, content: bytes) -> None:
    """Put a file in place of what has that name, whole or not at all; folders on the way are made.

    Raises:
        OSError: a part of its name is a symbolic link or no folder, or there is no room.
    """
    *folders, last = split_name(name)
    folder = open_folder(root, tuple(folders), create=True)
    partial = f".{last[:50]}.{os.getpid()}-{os.urandom(4).hex()}.partial"
    try:
        try:
            if not stat.S_ISREG(os.stat(last, dir_fd=folder, follow_symlinks=False).st_mode):
                raise OSError(errno.EINVAL, "there is something of that name that is no regular file")
        except FileNotFoundError:
            pass
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FILE, 0o644, dir_fd=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, last, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)
        except BaseException:
            os.unlink(partial, dir_fd=folder)
            raise
    finally:
        os.close(folder)


def walk_files(root: int, *, max_files: int, max_depth: int = 16) -> Iterator[FoundFile]:
    """Yield the regular files below a folder, at most `max_files`; links are passed over."""
    count = 0
    waiting: list[tuple[str, ...]] = [()]
    while waiting and count < max_files:
        parts = waiting.pop()
        try:
            folder = open_folder(root, parts)
        except OSError:  # it went, or became a link, after its parent was read
            continue
        inner = []
        try:
            for name in sorted(os.listdir(folder)):  # noqa: PTH208 - pathlib knows no handles
                try:
                    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
                except OSError:
                    continue
                if stat.S_ISDIR(found.st_mode) and len(parts) < max_depth:
                    inner.append((*parts, name))
                elif stat.S_ISREG(found.st_mode) and count < max_files:
                    count += 1
                    yield FoundFile("/".join((*parts, name)), found.st_size, found.st_mtime_ns)
        finally:
            os.close(folder)
        waiting += reversed(inner)
