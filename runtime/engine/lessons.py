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
_MUCH_MORE = 1.25
_LEAST_CONTEXT = 512


class Lesson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most that worked; more failed."""

    gpu_layers: int
    context: int
    free_bytes: int
    """What the GPUs, or without any the computer, had free when more failed."""


class Lessons:
    """A small file in the cache folder; losing it costs one failed attempt."""

    def __init__(self, folder: Path | None) -> None:
        """Without a folder nothing is remembered."""
        self._path = folder / _FILE if folder is not None else None

    def recall(self, key: str, *, free_bytes: int) -> Lesson | None:
        """Return what was learnt under a key; nothing when so much more memory is free now that more may work."""
        lesson = self._read().get(key)
        return lesson if lesson is not None and free_bytes <= _MUCH_MORE * lesson.free_bytes else None

    def learn(self, key: str, lesson: Lesson) -> None:
        """Keep a lesson; a disk that is full is no error."""
        if self._path is None:
            return
        known = self._read()
        known.pop(key, None)
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


def smaller(tried: Lesson) -> Lesson | None:
    """Return what to try after something failed: three quarters of the layers, without any half the context."""
    if tried.gpu_layers > 0:
        return msgspec.structs.replace(tried, gpu_layers=tried.gpu_layers * 3 // 4)
    if tried.context > _LEAST_CONTEXT:
        return msgspec.structs.replace(tried, context=tried.context // 2)
    return None


def lesson_key(identity: str, machine: Machine) -> str:
    """Return the key of a model on this machine's devices."""
    parts = [identity, *(f"{gpu.name} {gpu.description} {gpu.total_bytes}" for gpu in machine.gpus)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def free_bytes(machine: Machine) -> int:
    """Return the memory that a lesson is about: the GPUs', or the computer's where there is none."""
    return sum(gpu.free_bytes for gpu in machine.gpus) or machine.memory.available_bytes
