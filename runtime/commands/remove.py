"""`satchel remove`: take an installed pack out of the store."""

from __future__ import annotations

from dataclasses import dataclass

from satchel.runtime.packfile.store import InstalledPack, PackStore
from satchel.runtime.paths import Home


@dataclass(frozen=True, slots=True)
class Removal:
    """What a `remove` did."""

    pack: InstalledPack
    now_current: InstalledPack | None
    """The version for which the assistant's name stands from now on, if another one is installed."""


def remove(reference: str, home: Home) -> Removal:
    """Remove one installed pack, by its id, the id's first digits, or the assistant's name (its current version).

    Raises:
        PackNotInstalledError: none fits.
        AmbiguousPackError: several do.
        SaveError: the store is not writable.
    """
    store = PackStore(home)
    removed = store.remove(reference)
    left = store.versions(removed.identity_id)
    return Removal(pack=removed, now_current=left[0] if left else None)
