"""`satchel remove`: take an installed pack out of the store."""

from __future__ import annotations

from dataclasses import dataclass

from satchel.runtime.packfile.store import InstalledPack, PackStore
from satchel.runtime.paths import Home
from satchel.runtime.session.history import History


@dataclass(frozen=True, slots=True)
class Removal:
    """What a `remove` did."""

    pack: InstalledPack
    now_current: InstalledPack | None
    """The version for which the assistant's name stands from now on, if another one is installed."""
    chats_deleted: int


@dataclass(frozen=True, slots=True)
class Removable:
    """What a `remove` would take away."""

    pack: InstalledPack
    chats: int
    """How many chats were had with this very pack alone."""


def look_up(reference: str, home: Home) -> Removable:
    """Find what `remove` would remove.

    Raises:
        PackNotInstalledError: none fits.
        AmbiguousPackError: several do.
    """
    store = PackStore(home)
    path = store.find(reference)
    pack = next(pack for pack in store.list() if pack.path == path)
    chats = 0
    if home.history.exists():
        with History(home.history) as history:
            chats = len(history.chats_of_pack(pack.pack_id))
    return Removable(pack, chats)


def remove(reference: str, home: Home, *, with_chats: bool = False) -> Removal:
    """Remove one installed pack, by its id, the id's first digits, or the assistant's name (its current version).

    With `with_chats` the chats that were had with this very pack alone go too.

    Raises:
        PackNotInstalledError: none fits.
        AmbiguousPackError: several do.
        SaveError: the store is not writable.
    """
    store = PackStore(home)
    removed = store.remove(reference)
    left = store.versions(removed.identity_id)
    if (bits := home.cache / "bits").is_dir():
        # Here, because it brings NumPy, and few packs have as many passages.
        from satchel.runtime.knowledge.bit_cache import BitCache

        BitCache(bits).forget(removed.pack_id)
    chats_deleted = 0
    if with_chats and home.history.exists():
        with History(home.history) as history:
            chats_deleted = history.delete_chats_of_pack(removed.pack_id)
    return Removal(pack=removed, now_current=left[0] if left else None, chats_deleted=chats_deleted)
