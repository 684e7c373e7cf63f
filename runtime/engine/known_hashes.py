"""SHA-256 of model files, each computed once: remembered by where the file lies, its size and its times."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from satchel.runtime.atomic import save_bytes
from satchel.runtime.engine.identity import file_identity, file_sha256
from satchel.runtime.errors import SaveError

_FILE = "hashes.json"
_MOST_ENTRIES = 500


class KnownHashes:
    """A small file in the cache folder; losing it costs the time to hash again."""

    def __init__(self, cache: Path) -> None:
        self._path = cache / "engine" / _FILE

    def sha256(self, path: Path) -> str:
        """Return a file's SHA-256, computed when the file is new or has changed."""
        identity = file_identity(path)
        known = self._read()
        if (hashed := known.get(identity)) is not None:
            return hashed
        known[identity] = file_sha256(path)
        newest = dict(list(known.items())[-_MOST_ENTRIES:])
        with contextlib.suppress(SaveError):
            save_bytes(self._path, msgspec.json.encode(newest))
        return known[identity]

    def _read(self) -> dict[str, str]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, str])
        except (OSError, msgspec.DecodeError):
            return {}
