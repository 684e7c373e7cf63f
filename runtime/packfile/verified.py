"""Remembers which files were verified, so that running a pack reads all of it the first time only."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import msgspec

from satchel.runtime.atomic import save_bytes
from satchel.runtime.errors import SaveError
from satchel.runtime.packfile import canonical
from satchel.runtime.packfile.canonical import SchemaError
from satchel.runtime.packfile.errors import PackChangedError
from satchel.runtime.packfile.knowledge_check import check_knowledge
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.packfile.pack import Pack
from satchel.runtime.packfile.reading import FileStamp, stamp_at
from satchel.runtime.packfile.schema_v1 import Sha256
from satchel.runtime.progress import SILENT, Progress

CHECKS = 3
"""Raised when verification checks more than it did, which makes what was remembered void."""

_SECOND = 1_000_000_000
_COARSE_STEP = 2 * _SECOND
"""Of file times on FAT; a second on HFS+. Both show as whole seconds."""
_FINE_STEP = _SECOND // 20
"""Linux stamps files by its timer, every 1 to 10 ms."""


@dataclass(frozen=True, slots=True)
class VerifiedPack:
    """A file whose every byte was verified when it was in the state that `stamp` tells."""

    path: Path
    pack_id: str
    stamp: FileStamp

    def open(self) -> Pack:
        """Open the file without verifying it again.

        Raises:
            PackChangedError: it is not in that state any more.
        """
        pack = open_pack(self.path, verify=False)
        if pack.stamp != self.stamp or pack.pack_id != self.pack_id:
            pack.close()
            raise PackChangedError(path=self.path)
        return pack

    def refuse_changed(self) -> None:
        """Say so if the file is not in that state any more: the likely reason when a worker that mapped it has died.

        Raises:
            PackChangedError: it is not.
        """
        if stamp_at(self.path) != self.stamp:
            raise PackChangedError(path=self.path)

    def as_params(self) -> dict[str, Any]:
        """Return it as what goes to a worker; the path as bytes, because not every name is valid Unicode."""
        stamp = self.stamp
        return {
            "path": os.fsencode(self.path),
            "pack_id": self.pack_id,
            "stamp": [stamp.device, stamp.inode, stamp.size, stamp.mtime_ns, stamp.ctime_ns],
        }

    @classmethod
    def from_params(cls, params: dict[str, Any]) -> Self:
        """Return what `as_params` told of."""
        return cls(Path(os.fsdecode(params["path"])), params["pack_id"], FileStamp(*params["stamp"]))


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    checks: int
    stamp: FileStamp
    pack_id: Sha256


class VerifiedFiles:
    """A folder with a small file for each pack file that was verified; losing it costs a verification."""

    def __init__(self, folder: Path, *, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._folder = folder
        self._now_ns = now_ns

    def verify_once(self, path: Path, *, progress: Progress = SILENT) -> VerifiedPack:
        """Verify a file unless it is in the very state in which it was verified before.

        Raises:
            PackError: it is no sound pack.
            PackChangedError: it was changed meanwhile.
        """
        if (known := self.recall(path)) is not None:
            return known
        with open_pack(path, verify=True, progress=progress) as pack:
            check_knowledge(pack, progress=progress)
            if pack.reader.current_stamp() != pack.stamp:
                raise PackChangedError(path=path)
            if _tells_changes(pack.stamp, self._now_ns()):
                self.remember(pack.stamp, pack.pack_id)
            return VerifiedPack(path, pack.pack_id, pack.stamp)

    def recall(self, path: Path) -> VerifiedPack | None:
        """Return a file that is in the very state in which it was verified before, without reading it."""
        stamp = stamp_at(path)
        pack_id = self._recall(stamp)
        return VerifiedPack(path, pack_id, stamp) if pack_id is not None else None

    def remember(self, stamp: FileStamp, pack_id: str) -> None:
        """Note that the file in this state was verified."""
        record = _Record(checks=CHECKS, stamp=stamp, pack_id=pack_id)
        with contextlib.suppress(SaveError):  # a cache that cannot be written costs time, nothing else
            save_bytes(self._path(stamp), canonical.encode(record))

    def forget(self, stamp: FileStamp) -> None:
        """Drop what is noted of a file that is being removed."""
        with contextlib.suppress(OSError):
            self._path(stamp).unlink()

    def _recall(self, stamp: FileStamp) -> str | None:
        if os.name == "nt":  # its ctime is the time of creation, so a change can hide behind an old mtime
            return None
        try:
            record = canonical.decode(self._path(stamp).read_bytes(), _Record, "record")
        except (OSError, SchemaError):
            return None
        return record.pack_id if record.checks == CHECKS and record.stamp == stamp else None

    def _path(self, stamp: FileStamp) -> Path:
        return self._folder / f"{stamp.device}-{stamp.inode}.json"


def _tells_changes(stamp: FileStamp, now_ns: int) -> bool:
    """Say whether any change from now on gives the file another stamp: not within a step of the file system's clock."""
    latest = max(stamp.mtime_ns, stamp.ctime_ns)
    step = _COARSE_STEP if stamp.ctime_ns % _SECOND == 0 else _FINE_STEP
    return latest + step < now_ns
