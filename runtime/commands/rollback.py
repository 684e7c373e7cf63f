"""`satchel rollback`: an earlier version of an assistant is current again."""

from __future__ import annotations

from dataclasses import dataclass

from satchel.runtime.errors import SatchelError
from satchel.runtime.packfile.store import InstalledPack, PackStore
from satchel.runtime.paths import Home


class NothingToRollBackError(SatchelError):
    """Of {name} there is only version {version}."""

    exit_code = 19
    remedy = "Install the version that you want; `satchel list` shows those that there are."


@dataclass(frozen=True, slots=True)
class Rollback:
    """The version that the name stood for, the one that it stands for now, and what else is installed."""

    before: InstalledPack
    now: InstalledPack
    others: tuple[InstalledPack, ...]
    """Last current first."""


def rollback(reference: str, home: Home) -> Rollback:
    """Make the version current that `reference` gives the id of; after a name, the one that was so before.

    The current version's id stands for its name.

    Raises:
        PackNotInstalledError, AmbiguousPackError: `reference` names none or several.
        NothingToRollBackError: it is the only version.
    """
    store = PackStore(home)
    path = store.find(reference)
    found = next(pack for pack in store.list() if pack.path == path)
    current, *others = store.versions(found.identity_id)
    if not others:
        raise NothingToRollBackError(name=found.name, version=found.version)
    wanted = others[0] if found.current else found
    return Rollback(
        before=current,
        now=store.make_current(wanted.pack_id),
        others=tuple(pack for pack in others if pack.pack_id != wanted.pack_id),
    )
