"""A download that is not whole yet: `FILE.partial` with what has come, and beside it what it is to become."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, BinaryIO, Self

import msgspec

from satchel.runtime.atomic import save_bytes, sync_folder
from satchel.runtime.engine.sizes import in_words
from satchel.runtime.errors import SaveError
from satchel.runtime.models.errors import NotEnoughSpaceError

SUFFIX = ".partial"
STATE_SUFFIX = ".partial.json"
_BLOCK = 1 << 20


class PartialState(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the bytes in a partial file are the beginning of."""

    repository: str
    file: str
    size: Annotated[int, msgspec.Meta(ge=0)]
    sha256: str
    endpoint: str = ""
    """Where `etag` comes from."""
    etag: str = ""
    """Of the bytes that came, as their server names this version of them."""


class PartialFile:
    """The growing file and the hash of what is in it. Bytes are only ever appended, so a kill costs none."""

    def __init__(self, destination: Path, wanted: PartialState) -> None:
        self.destination = destination
        self.path = destination.with_name(destination.name + SUFFIX)
        self._state_path = destination.with_name(destination.name + STATE_SUFFIX)
        self.state = wanted
        self.size = 0
        self._digest = hashlib.sha256()
        self._file: BinaryIO | None = None

    def open(self, progress: Callable[[int], None]) -> bool:
        """Take up what an earlier run left; false when it left the beginning of another file, which is thrown away.

        `progress` is told how many of the bytes at hand have been hashed again.

        Raises:
            SaveError: the folder is not writable.
        """
        left = read_state(self.destination)
        same = left is not None and (left.sha256, left.size) == (self.state.sha256, self.state.size)
        with self._saving():
            self.destination.parent.mkdir(parents=True, exist_ok=True)
            there = self.path.stat().st_size if self.path.is_file() else 0
            keep = same and there <= self.state.size
            self._file = self.path.open("r+b" if keep and there else "w+b")
            if keep and left is not None:
                self.state = left
                while block := self._file.read(_BLOCK):
                    self._digest.update(block)
                    self.size += len(block)
                    progress(self.size)
        self._save_state()
        return keep or not there

    def name_source(self, endpoint: str, etag: str) -> None:
        """Remember which server's version the next bytes are of."""
        if (self.state.endpoint, self.state.etag) != (endpoint, etag):
            self.state = msgspec.structs.replace(self.state, endpoint=endpoint, etag=etag)
            self._save_state()

    def append(self, block: bytes) -> None:
        """Add what came.

        Raises:
            NotEnoughSpaceError: the disk is full.
            SaveError: it cannot be written.
        """
        assert self._file is not None, "append to an open file"
        with self._saving():
            self._file.write(block)
            self._file.flush()  # a kill may cost what is on its way, and nothing that came
        self._digest.update(block)
        self.size += len(block)

    def restart(self) -> None:
        """Throw the bytes away: they are not the beginning of what is wanted."""
        assert self._file is not None, "restart an open file"
        with self._saving():
            self._file.seek(0)
            self._file.truncate()
        self.size = 0
        self._digest = hashlib.sha256()

    def sha256(self) -> str:
        """Return the hash of all bytes."""
        return self._digest.hexdigest()

    def finish(self) -> None:
        """Give the whole file its name."""
        assert self._file is not None, "finish an open file"
        with self._saving():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None
            self.path.replace(self.destination)
            sync_folder(self.destination.parent)
        self._state_path.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove it and what is said of it."""
        self.close()
        self.path.unlink(missing_ok=True)
        self._state_path.unlink(missing_ok=True)

    def close(self) -> None:
        """Keep the bytes for the next run."""
        if self._file is not None:
            with self._saving():
                self._file.close()
            self._file = None
        if not self.size:
            self.path.unlink(missing_ok=True)
            self._state_path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _save_state(self) -> None:
        save_bytes(self._state_path, msgspec.json.encode(self.state))

    @contextlib.contextmanager
    def _saving(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                self._raise_full(error)
            raise SaveError(path=self.destination, reason=(error.strerror or str(error)).lower()) from error

    def _raise_full(self, error: OSError) -> None:
        missing = self.state.size - self.size
        raise no_space(self.destination.parent, 0, self.destination.name, missing) from error


def read_state(destination: Path) -> PartialState | None:
    """Return what a partial file beside `destination` is to become; None where nothing sound says so."""
    try:
        content = destination.with_name(destination.name + STATE_SUFFIX).read_bytes()
        return msgspec.json.decode(content, type=PartialState)
    except (OSError, msgspec.DecodeError, RecursionError):
        return None


def no_space(folder: Path, free: int, file: str, needed: int) -> NotEnoughSpaceError:
    """Return the error of a disk that is too full."""
    return NotEnoughSpaceError(folder=folder, free=in_words(free), file=file, needed=in_words(needed))
