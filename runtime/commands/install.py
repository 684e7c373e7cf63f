"""`satchel install`: verify a pack and keep it in the store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.packfile.store import InstalledPack, PackStore
from satchel.runtime.paths import Home
from satchel.runtime.progress import SILENT, Progress


@dataclass(frozen=True, slots=True)
class Installation:
    """What an `install` did."""

    pack: InstalledPack
    already: bool
    """It was installed before."""
    replaces: InstalledPack | None
    """The version for which the assistant's name stood until now; it stays installed."""


def install(path: Path, home: Home, *, progress: Progress = SILENT) -> Installation:
    """Copy a pack into the store once every byte of it is verified; it becomes its assistant's current version.

    Raises:
        PackError: it is no sound pack.
        SaveError: the disk is full or not writable.
    """
    store = PackStore(home)
    with open_pack(path, verify=False) as pack:
        before = store.versions(pack.manifest.identity.id)
    installed = store.install(path, progress=progress)
    current = before[0] if before else None
    return Installation(
        pack=installed,
        already=any(version.pack_id == installed.pack_id for version in before),
        replaces=current if current is not None and current.pack_id != installed.pack_id else None,
    )
