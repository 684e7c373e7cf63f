"""What Satchel pulled: beside each model's first file a small one says where it came from, so that no index rots."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

from satchel.runtime.atomic import save_bytes
from satchel.runtime.models.file_names import model_name

SUFFIX = ".pulled.json"


class PulledFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file, as it was when it was whole."""

    name: str
    size: Annotated[int, msgspec.Meta(ge=0)]
    sha256: str


class PulledRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a model came from."""

    repository: str
    commit: str
    licence: str
    endpoint: str
    day: dt.date
    files: Annotated[tuple[PulledFile, ...], msgspec.Meta(min_length=1)]


@dataclass(frozen=True, slots=True)
class PulledModel:
    """A record and where it lies."""

    record_path: Path
    record: PulledRecord

    @property
    def path(self) -> Path:
        """The model's first file."""
        return self.record_path.parent / self.record.files[0].name

    @property
    def paths(self) -> list[Path]:
        """All its files."""
        return [self.record_path.parent / file.name for file in self.record.files]

    @property
    def name(self) -> str:
        """What `--model` takes."""
        return model_name(self.path)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.record.files)

    def is_unchanged(self) -> bool:
        """Tell whether the files are there with the sizes that they had."""
        return all(
            path.is_file() and path.stat().st_size == file.size
            for path, file in zip(self.paths, self.record.files, strict=True)
        )


def record_path(first: Path) -> Path:
    """Return where the record of a model lies."""
    return first.with_name(first.name + SUFFIX)


def save_record(first: Path, record: PulledRecord) -> None:
    """Write down where a model came from.

    Raises:
        SaveError: the folder is not writable.
    """
    save_bytes(record_path(first), msgspec.json.encode(record))


def read_record(first: Path) -> PulledModel | None:
    """Return what was written down of a model; None where nothing sound was."""
    path = record_path(first)
    with contextlib.suppress(OSError, msgspec.DecodeError, RecursionError):
        record = msgspec.json.decode(path.read_bytes(), type=PulledRecord)
        if all(Path(file.name).name == file.name for file in record.files):
            return PulledModel(path, record)
    return None


def pulled_models(folder: Path) -> Iterator[PulledModel]:
    """Yield what was pulled into a folder, by name."""
    for path in sorted(folder.rglob("*" + SUFFIX)):
        if (found := read_record(path.with_name(path.name.removesuffix(SUFFIX)))) is not None:
            yield found
