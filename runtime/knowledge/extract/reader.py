"""The parent's side of reading documents: opens the file, hands its bytes to a child process, takes the text back.

The child gets bytes and never a path: it has nothing to open, and the file's SHA-256 is that of the very bytes read.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from satchel.runtime.errors import OutOfTimeError, WorkerDiedError, WorkerOutOfMemoryError
from satchel.runtime.knowledge.documents import ExtractedText
from satchel.runtime.knowledge.errors import (
    ChangedWhileReadError,
    LinkedFileError,
    ReaderStoppedError,
    TooLargeError,
    TooSlowError,
    UnreadableFileError,
    VanishedError,
)
from satchel.runtime.knowledge.extract.limits import MAX_FILE_BYTES, MIB, READER_MEMORY_BYTES, in_mib
from satchel.runtime.knowledge.extract.pdf.lines import Line
from satchel.runtime.knowledge.extract.validity import find_fault
from satchel.runtime.progress import SILENT, Progress
from satchel.runtime.worker.launching import Launch, launch_plainly
from satchel.runtime.worker.limits import WorkerLimits
from satchel.runtime.worker.process import Worker, WorkerFailedError

SECONDS_A_FILE = 300.0

_CHUNK_BYTES = 1 * MIB
_CANCEL_SECONDS = 0.15
# Where these are missing (Windows), there is nothing that they would guard against.
_OPEN_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
)


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """One file's text, and which bytes it is the text of."""

    extracted: ExtractedText
    sha256: str
    size: int


class DocumentReader:
    """Reads files one after the other in one child process, which is started at the first and restarted when it dies.

    After any error the next file can be read. Not to be shared between threads.
    """

    def __init__(
        self,
        *,
        seconds_a_file: float = SECONDS_A_FILE,
        memory_bytes: int = READER_MEMORY_BYTES,
        launch: Launch = launch_plainly,
    ) -> None:
        """`launch` starts the child: `sandbox.workers.sandboxed` where this machine's sandbox holds."""
        self._seconds = seconds_a_file
        self._worker = Worker(
            "satchel.runtime.knowledge.extract.child",
            name="document reader",
            # The only file that it writes is its log, into a temporary file that has no name.
            limits=WorkerLimits(memory_bytes=memory_bytes, file_bytes=MIB),
            cancel_seconds=_CANCEL_SECONDS,
            launch=launch,
        )

    def read(
        self,
        path: Path,
        *,
        name: str | None = None,
        password: str | None = None,
        follow_links: bool = False,
        pictures: Mapping[int, Sequence[Line]] | None = None,
        progress: Progress = SILENT,
    ) -> ReadDocument:
        """Return the text of one file.

        `name` is what messages call it (the file's own name unless given). `progress` is called for every page, and ten
        times a second on a slow one; when it raises, the work stops within a quarter of a second. A link is followed
        only when asked for, because the project may be somebody else's. `pictures`, where it is given, has the lines
        that were read from the pictures of pages (from 1); what still waits to be read is told in `unread_pictures`.

        Raises:
            DocumentError: the file cannot be read; the class says why, the message names it.
        """
        file = name or path.name
        stage = f"reading {file}"
        progress(stage, 0, None)
        with _opened(path, file, follow_links=follow_links) as (handle, before):
            digest = self._send(handle, before, file, stage, progress)
        extracted = self._extract(file, stage, password, pictures, progress)
        _check_unchanged(path, file, before, digest, follow_links=follow_links)
        return ReadDocument(extracted, digest, before.st_size)

    def start(self) -> None:
        """Start the child early, to hide its start-up behind other work."""
        self._worker.start()

    def close(self) -> None:
        """End the child."""
        self._worker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, handle: int, before: os.stat_result, file: str, stage: str, progress: Progress) -> str:
        """Send a file's bytes to the child and return their SHA-256."""
        digest, left = hashlib.sha256(), before.st_size
        self._call("begin", {"file": file, "size": left}, file)
        while left:
            try:
                chunk = os.read(handle, min(left, _CHUNK_BYTES))
            except OSError as error:
                raise UnreadableFileError(file=file, reason=_words(error)) from error
            if not chunk:
                raise ChangedWhileReadError(file=file)
            progress(stage, 0, None)
            digest.update(chunk)
            left -= len(chunk)
            self._call("chunk", {"content": chunk}, file)
        if os.read(handle, 1) or _identity(os.fstat(handle)) != _identity(before):
            raise ChangedWhileReadError(file=file)
        return digest.hexdigest()

    def _extract(
        self,
        file: str,
        stage: str,
        password: str | None,
        pictures: Mapping[int, Sequence[Line]] | None,
        progress: Progress,
    ) -> ExtractedText:
        params = {
            "password": password,
            "pictures": msgspec.to_builtins(pictures),
            "cpu_seconds": max(1, round(self._seconds)),
        }
        done, total = 0, None
        with (
            _told_of(file, self._seconds),
            contextlib.closing(self._worker.stream("extract", params, timeout=self._seconds)) as steps,
        ):
            while True:
                try:
                    item = next(steps)
                except StopIteration as end:
                    return _checked(end.value, file)
                done, total = (done, total) if item is None else item
                progress(stage, done, total)

    def _call(self, method: str, params: dict[str, Any], file: str) -> None:
        with _told_of(file, self._seconds):
            self._worker.call(method, params, timeout=self._seconds)


def file_chunks(path: Path, sha256: str, *, name: str, follow_links: bool = False) -> Iterator[bytes]:
    """Yield the bytes of a file that was read before.

    Raises:
        DocumentError: it cannot be read, or (at the end) its bytes have another SHA-256 by now.
    """
    digest = hashlib.sha256()
    with _opened(path, name, follow_links=follow_links) as (handle, before):
        left = before.st_size
        while left and (chunk := os.read(handle, min(left, _CHUNK_BYTES))):
            digest.update(chunk)
            left -= len(chunk)
            yield chunk
    if digest.hexdigest() != sha256:
        raise ChangedWhileReadError(file=name)


@contextlib.contextmanager
def _told_of(file: str, seconds: float) -> Iterator[None]:
    """Turn the end of the child into an error about the file that caused it."""
    try:
        yield
    except OutOfTimeError as error:
        raise TooSlowError(file=file, seconds=f"{seconds:g}") from error
    except WorkerOutOfMemoryError as error:
        raise TooLargeError(file=file, reason="the reader needs more memory for it than it may use") from error
    except (WorkerDiedError, WorkerFailedError) as error:
        raise ReaderStoppedError(file=file, reason=error.fields["reason"]) from error


@contextlib.contextmanager
def _opened(path: Path, file: str, *, follow_links: bool) -> Iterator[tuple[int, os.stat_result]]:
    """Open an ordinary file for reading; yields its handle and its state."""
    try:
        # Looked at before it is opened: opening a device or a named pipe may do or wait for something.
        found = path.stat() if follow_links else path.lstat()
        if stat.S_ISLNK(found.st_mode):
            raise LinkedFileError(file=file, target=path.readlink())
        if not stat.S_ISREG(found.st_mode):
            raise UnreadableFileError(file=file, reason=f"it is {_kind(found.st_mode)}")
        handle = os.open(path, _OPEN_FLAGS | (0 if follow_links else getattr(os, "O_NOFOLLOW", 0)))
    except FileNotFoundError as error:
        raise VanishedError(file=file) from error
    except (OSError, ValueError) as error:
        raise UnreadableFileError(file=file, reason=_words(error)) from error
    try:
        before = os.fstat(handle)
        if not stat.S_ISREG(before.st_mode):
            raise UnreadableFileError(file=file, reason=f"it is {_kind(before.st_mode)}")
        if before.st_size > MAX_FILE_BYTES:
            reason = f"it has {in_mib(before.st_size)}, and one file may have {in_mib(MAX_FILE_BYTES)}"
            raise TooLargeError(file=file, reason=reason)
        yield handle, before
    finally:
        os.close(handle)


def _check_unchanged(path: Path, file: str, before: os.stat_result, digest: str, *, follow_links: bool) -> None:
    """Compare the file with what was read: by its state, and by its bytes where only the state differs."""
    try:
        now = path.stat() if follow_links else path.lstat()
        if _identity(now) == _identity(before):
            return
        if stat.S_ISREG(now.st_mode) and now.st_size == before.st_size:
            with path.open("rb") as again:
                if hashlib.file_digest(again, "sha256").hexdigest() == digest:
                    return
    except FileNotFoundError as error:
        raise VanishedError(file=file) from error
    except OSError as error:
        raise UnreadableFileError(file=file, reason=_words(error)) from error
    raise ChangedWhileReadError(file=file)


def _checked(result: Any, file: str) -> ExtractedText:
    try:
        extracted = msgspec.convert(result, ExtractedText)
    except msgspec.ValidationError as error:
        raise ReaderStoppedError(file=file, reason=f"it sent what is no text ({error})") from error
    if fault := find_fault(extracted):
        raise ReaderStoppedError(file=file, reason=f"it sent a broken text ({fault})")
    return extracted


def _identity(state: os.stat_result) -> tuple[int, ...]:
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns


def _kind(mode: int) -> str:
    kinds = (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISBLK, "a device"),
        (stat.S_ISCHR, "a device"),
    )
    return next((words for test, words in kinds if test(mode)), "no ordinary file")


def _words(error: OSError | ValueError) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
