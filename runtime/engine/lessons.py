"""What loading a model taught: how much of it worked here, so that the next start does not fail first."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

import msgspec

from satchel.runtime.atomic import save_bytes
from satchel.runtime.engine.devices import Machine
from satchel.runtime.errors import SaveError

_FILE = "loads.json"
_MOST_ENTRIES = 200
_MOST_BYTES = 1 << 20


class Lesson(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The most that worked; more failed."""

    gpu_layers: int
    context: int
    unfinished: bool = False
    """It is being tried, or was when the process died."""


class Lessons:
    """A small file in the cache folder; losing it costs one failed attempt."""

    def __init__(self, folder: Path | None) -> None:
        """Without a folder nothing is remembered."""
        self._path = folder / _FILE if folder is not None else None

    def recall(self, key: str) -> Lesson | None:
        """Return what was learnt under a key."""
        return self._read().get(key)

    def learn(self, key: str, lesson: Lesson | None) -> None:
        """Keep a lesson, or forget it; a disk that is full is no error."""
        if self._path is None:
            return
        known = self._read()
        known.pop(key, None)
        if lesson is not None:
            known[key] = lesson
        newest = dict(list(known.items())[-_MOST_ENTRIES:])
        with contextlib.suppress(SaveError):
            save_bytes(self._path, msgspec.json.encode(newest))

    def _read(self) -> dict[str, Lesson]:
        if self._path is None:
            return {}
        try:
            with self._path.open("rb") as file:
                return msgspec.json.decode(file.read(_MOST_BYTES), type=dict[str, Lesson])
        except (OSError, msgspec.DecodeError):
            return {}


def lesson_key(identity: str, machine: Machine) -> str:
    """Return the key of a model on this machine's devices."""
    parts = [identity, *(f"{gpu.name} {gpu.description} {gpu.total_bytes}" for gpu in machine.gpus)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
