"""Extracted texts, kept so that no file is read twice: keyed by what the file's bytes are, not by where it lies."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

import msgspec

from satchel.runtime.atomic import save_bytes
from satchel.runtime.knowledge.documents import ExtractedText

EXTRACTION_VERSION = 3
"""Raised whenever an extractor gives another text for the same file."""

_CHUNK = 1 << 20


class TextCache:
    """A folder of extracted texts; a file that cannot be read counts as absent."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, sha256: str, suffix: str, recogniser: str = "") -> ExtractedText | None:
        """Return the text of a file of these bytes; the suffix counts, since it decides between text formats.

        `recogniser` says what read its pictures; empty: they were not to be read.
        """
        try:
            return msgspec.msgpack.decode(self._path(sha256, suffix, recogniser).read_bytes(), type=ExtractedText)
        except (OSError, msgspec.DecodeError):
            return None

    def put(self, sha256: str, suffix: str, extracted: ExtractedText, recogniser: str = "") -> None:
        """Keep a text."""
        save_bytes(self._path(sha256, suffix, recogniser), msgspec.msgpack.encode(extracted))

    def _path(self, sha256: str, suffix: str, recogniser: str) -> Path:
        told = f"{EXTRACTION_VERSION} {suffix.casefold()} {recogniser}".rstrip()
        kind = hashlib.sha256(told.encode()).hexdigest()[:8]
        return self._folder / sha256[:2] / f"{sha256[2:]}-{kind}.msgpack"


class HashedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file's state and the SHA-256 of its bytes in that state."""

    size: int
    modified_ns: int
    changed_ns: int
    inode: int
    sha256: str


class FileHashes:
    """SHA-256 of files, computed again only when size, times or inode changed; `save` keeps them for the next run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, HashedFile] = {}
        self._used: dict[str, HashedFile] = {}
        with contextlib.suppress(OSError, msgspec.DecodeError):
            self._known = msgspec.json.decode(path.read_bytes(), type=dict[str, HashedFile])

    def sha256(self, path: Path) -> str:
        """Return the hash of a file.

        Raises:
            OSError: it cannot be read.
        """
        # A name need not be text; where two names come out the same, inode and times still tell the files apart.
        key = os.fsencode(path.absolute()).decode(errors="backslashreplace")
        state = path.stat()
        known = self._known.get(key)
        if known is None or (known.size, known.modified_ns, known.changed_ns, known.inode) != _stamp(state):
            digest = hashlib.sha256()
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
            known = HashedFile(*_stamp(state), digest.hexdigest())
        self._used[key] = known
        return known.sha256

    def save(self) -> None:
        """Keep the hashes that were asked for; the others belong to files that are gone."""
        if self._used != self._known:
            save_bytes(self._path, msgspec.json.encode(self._used))


def _stamp(state: os.stat_result) -> tuple[int, int, int, int]:
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino
