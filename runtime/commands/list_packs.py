"""`satchel list`: the installed packs."""

from __future__ import annotations

from dataclasses import dataclass

from satchel.runtime.packfile.store import InstalledPack, PackStore
from satchel.runtime.paths import Home


@dataclass(frozen=True, slots=True)
class PackList:
    """By name, an assistant's current version before its other ones."""

    packs: tuple[InstalledPack, ...]


def list_packs(home: Home) -> PackList:
    """List what is installed; an empty store, or none at all, is an empty list."""
    return PackList(PackStore(home).list())
