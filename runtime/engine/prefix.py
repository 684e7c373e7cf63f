"""The state of an assistant's pinned prompt on disk, so that no new process reads the same instructions again.

A file is named by the hash of all that its numbers depend on, carries a checksum, and is rebuilt whenever anything
about it is wrong. It is written and read only here, in the cache folder: none comes in a pack.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

from satchel.runtime.atomic import replacing
from satchel.runtime.errors import SaveError

_MAGIC = b"SATCHEL PREFIX 1"
_SUFFIX = ".prefix"
_HEAD_BYTES = len(_MAGIC) + 32
_STALE_SECONDS = 3600.0


def prefix_key(parts: Sequence[str], tokens: Sequence[int]) -> str:
    """Return the name of a state: `parts` are model, build, cache type, template, adapter and whatever else counts."""
    digest = hashlib.sha256()
    for part in (*parts, ",".join(map(str, tokens))):
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(8, "little"))
        digest.update(encoded)
    return digest.hexdigest()


class PrefixCache:
    """A folder of states; the ones used longest ago go first when it grows past its limit."""

    def __init__(self, folder: Path, *, most_bytes: int) -> None:
        """The folder is made when it is first written to."""
        self.folder = folder
        self._most_bytes = most_bytes

    def __contains__(self, key: str) -> bool:
        return self._path(key).is_file()

    def load(self, key: str) -> bytearray | None:
        """Return a state; None where there is none, or none that is sound (it is removed then)."""
        path = self._path(key)
        try:
            with path.open("rb") as file:
                head = file.read(_HEAD_BYTES)
                size = os.fstat(file.fileno()).st_size - len(head)
                state = bytearray(min(size, self._most_bytes))
                whole = file.readinto(state) == len(state)
        except (OSError, ValueError):
            return None
        if not whole or head != _head(key, state):
            self.remove(key)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # used now: the last to go
        return state

    def store(self, key: str, state: bytes | bytearray) -> None:
        """Keep a state; one too large, or a disk too full, is no error: it is only slower next time."""
        if len(state) > self._most_bytes:
            return
        with contextlib.suppress(SaveError, OSError), replacing(self._path(key)) as file:
            file.write(_head(key, state))
            file.write(state)
        self._shrink()

    def remove(self, key: str) -> None:
        """Forget a state that is of no use."""
        with contextlib.suppress(OSError):
            self._path(key).unlink()

    def _shrink(self) -> None:
        """Remove what was used longest ago until the folder keeps its limit, and what killed processes left behind."""
        kept: list[tuple[float, int, Path]] = []
        with contextlib.suppress(OSError):
            for path in self.folder.iterdir():
                stat = path.stat()
                if path.suffix == _SUFFIX:
                    kept.append((stat.st_mtime, stat.st_size, path))
                elif path.suffix == ".partial" and time.time() - stat.st_mtime > _STALE_SECONDS:
                    path.unlink()
        total = sum(size for _, size, _ in kept)
        for _, size, path in sorted(kept, key=lambda entry: (entry[0], entry[2].name)):
            if total <= self._most_bytes:
                break
            with contextlib.suppress(OSError):
                path.unlink()
                total -= size

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}{_SUFFIX}"


def _head(key: str, state: bytes | bytearray) -> bytes:
    """Return what a file begins with. The key is in the checksum: under another name a state is worth nothing."""
    digest = hashlib.sha256(key.encode())
    digest.update(state)
    return _MAGIC + digest.digest()
