"""The audit log: what was asked, decided, answered and done, in lines that hang together.

Each line carries the hash of the one before it, and a small file beside the log the number and hash of the last one,
so that an edited, removed or cut line shows. What a call told (its arguments) is hashed by itself and can be blanked
when a chat is deleted, without a break in the chain. It guards against accidents and against tools that can write
files, not against a person who rewrites both files.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from satchel.runtime.atomic import replacing, save_bytes, sync_folder
from satchel.runtime.errors import SaveError
from satchel.runtime.packfile.lock import locked
from satchel.runtime.permissions.errors import AuditError

Kind = Literal["allowed", "asked", "denied", "answered", "finished", "granted", "revoked"]

_START = "0" * 64
_CURRENT = "audit.jsonl"
_HEAD = "audit.head.json"
_OLDER = re.compile(r"audit-([0-9]{10})\.jsonl")
_MOST_TOLD = 2000


class Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What left or would have left; blanked when its chat is deleted."""

    arguments: dict[str, str]
    """Each shortened to 2,000 characters."""
    salt: str
    """So that what is blanked cannot be guessed from its hash."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One thing that happened."""

    at: float
    """Seconds since 1970."""
    kind: Kind
    assistant: str
    """The grants' subject key."""
    chat: str = ""
    tool: str = ""
    digest: str = ""
    """Of the call."""
    destinations: tuple[str, ...] = ()
    why: str = ""
    rule: str = ""
    approval: str = ""
    """The answer or the standing approval that it rests on: each use of one is a line here."""


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One line."""

    n: int
    previous: str
    entry: Entry
    told: Told | None
    told_sha256: str

    @property
    def sha256(self) -> str:
        """What the next line carries as `previous`; the same when `told` is blanked."""
        linked = (self.n, self.previous, self.entry, self.told_sha256)
        return hashlib.sha256(msgspec.json.encode(linked, order="sorted")).hexdigest()


class _Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    n: int = 0
    sha256: str = _START
    first: int = 1
    """Number of the oldest record that is kept."""
    before_first: str = _START
    bytes: int = 0
    """Length of the current file after the last record."""


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether the log is as it was written."""

    records: int
    problem: str = ""
    """Empty: nothing is wrong."""


class AuditLog:
    """The log of one person; several processes may append to it."""

    def __init__(self, folder: Path, *, most_bytes: int = 4 << 20, most_files: int = 16) -> None:
        """Keep it in `folder` (`Home.data / "audit"`); a file that reaches `most_bytes` is set aside, the oldest go."""
        self._folder = folder
        self._most_bytes = most_bytes
        self._most_files = most_files

    def append(self, entry: Entry, arguments: dict[str, str] | None = None) -> Record:
        """Add a record; on the disk when this returns.

        Raises:
            AuditError: the log's end is not where it was left: nothing is added to a log that was changed.
            SaveError: no room or no right to write.
        """
        told = Told({name: text[:_MOST_TOLD] for name, text in (arguments or {}).items()}, secrets.token_hex(8))
        with self._locked():
            head = self._head()
            record = Record(n=head.n + 1, previous=head.sha256, entry=entry, told=told, told_sha256=_sha256(told))
            line = msgspec.json.encode(record, order="sorted") + b"\n"
            size = self._write(head, line)
            head = msgspec.structs.replace(head, n=record.n, sha256=record.sha256, bytes=size)
            self._save_head(head)
            if size >= self._most_bytes:
                self._save_head(self._rotate(head))
        return record

    def read(self, *, most: int = 1000, assistant: str = "", chat: str = "") -> list[Record]:
        """Return records, newest first.

        Raises:
            AuditError: a line is no record.
        """
        found = list[Record]()
        for path in reversed(self._files()):
            for record in reversed(list(_records(path))):
                if len(found) == most:
                    return found
                if record.entry.assistant.startswith(assistant) and chat in {"", record.entry.chat}:
                    found.append(record)
        return found

    def verify(self) -> Verification:
        """Follow the chain from the oldest record to the last one that was written."""
        count = 0
        with self._locked():
            try:
                head = self._head()
                n, previous = head.first, head.before_first
                for path in self._files():
                    for record in _records(path):
                        problem = _problem(record, n, previous)
                        if problem:
                            return Verification(count, f"{path.name}, record {record.n}: {problem}")
                        if n == head.n and record.sha256 != head.sha256:
                            return Verification(count, f"{path.name}, record {n}: it was replaced")
                        n, previous = n + 1, record.sha256
                        count += 1
            except AuditError as error:
                return Verification(count, error.message)
        if n <= head.n:
            return Verification(count, f"records {n} to {head.n} are missing at the end")
        return Verification(count)

    def forget(self, chat: str) -> None:
        """Blank what the calls of a deleted chat told; that they were made stays."""
        with self._locked():
            for path in self._files():
                records = list(_records(path))
                if not any(record.entry.chat == chat and record.told for record in records):
                    continue
                with replacing(path, private=True) as file:
                    for record in records:
                        line = msgspec.json.encode(record, order="sorted")
                        if record.entry.chat == chat:
                            blank = msgspec.json.encode(msgspec.structs.replace(record, told=None), order="sorted")
                            # As long as before, so that the head's count of bytes holds whenever this is cut short.
                            line = blank.ljust(len(line))
                        file.write(line + b"\n")

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with locked(self._folder / _CURRENT, wait=True):
            yield

    def _files(self) -> list[Path]:
        older = sorted(path for path in self._folder.glob("audit-*.jsonl") if _OLDER.fullmatch(path.name))
        current = self._folder / _CURRENT
        return [*older, current] if current.exists() else older

    def _head(self) -> _Head:
        path = self._folder / _HEAD
        try:
            return msgspec.json.decode(path.read_bytes(), type=_Head)
        except FileNotFoundError:
            if self._files():
                raise AuditError(path=self._folder / _CURRENT, reason=f"{_HEAD} is missing") from None
            return _Head()
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise AuditError(path=path, reason=str(error)) from error

    def _save_head(self, head: _Head) -> None:
        save_bytes(self._folder / _HEAD, msgspec.json.encode(head, order="sorted"), private=True)

    def _write(self, head: _Head, line: bytes) -> int:
        """Append a line after the head's end; what a crash left beyond it, never recorded, gives way."""
        path = self._folder / _CURRENT
        if not path.exists() and self._set_aside(head).exists():
            head = msgspec.structs.replace(head, bytes=0)  # a crash between the rename and the head
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
            try:
                if os.fstat(handle).st_size < head.bytes:
                    raise AuditError(path=path, reason="lines are missing at its end")
                os.ftruncate(handle, head.bytes)
                os.lseek(handle, head.bytes, os.SEEK_SET)
                written = 0
                while written < len(line):
                    written += os.write(handle, line[written:])
                os.fsync(handle)
            finally:
                os.close(handle)
            sync_folder(self._folder)
        except OSError as error:
            raise SaveError(path=path, reason=(error.strerror or str(error)).lower()) from error
        return head.bytes + len(line)

    def _set_aside(self, head: _Head) -> Path:
        return self._folder / f"audit-{head.n:010}.jsonl"

    def _rotate(self, head: _Head) -> _Head:
        """Set the current file aside and drop the oldest ones; the head remembers where the chain now begins."""
        (self._folder / _CURRENT).rename(self._set_aside(head))
        files = self._files()
        for path in files[: max(0, len(files) - self._most_files + 1)]:
            last = list(_records(path))[-1]
            head = msgspec.structs.replace(head, first=last.n + 1, before_first=last.sha256)
            path.unlink()
        return msgspec.structs.replace(head, bytes=0)


def entry(kind: Kind, assistant: str, *, now: float | None = None) -> Entry:
    """Return an entry of this moment; `msgspec.structs.replace` adds what else is known."""
    return Entry(at=time.time() if now is None else now, kind=kind, assistant=assistant)


def _sha256(told: Told) -> str:
    return hashlib.sha256(msgspec.json.encode(told, order="sorted")).hexdigest()


def _records(path: Path) -> Iterator[Record]:
    number = 0
    try:
        with path.open("rb") as file:
            for line in file:
                number += 1
                if not line.endswith(b"\n"):
                    return  # a crash in the middle of a write; `verify` misses it if it was ever recorded
                yield msgspec.json.decode(line, type=Record)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise AuditError(path=path, reason=f"line {number} is no record ({error})") from error


def _problem(record: Record, n: int, previous: str) -> str:
    if record.n != n:
        return f"number {n} should stand here"
    if record.previous != previous:
        return "the one before it was changed"
    if record.told is not None and _sha256(record.told) != record.told_sha256:
        return "what it told was changed"
    return ""
