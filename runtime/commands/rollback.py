"""`satchel rollback`: the version of an assistant that was current before is so again."""

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
    """The version that the name stood for, and the one that it stands for now."""

    before: InstalledPack
    now: InstalledPack


def rollback(reference: str, home: Home) -> Rollback:
    """Make the version current that was so before the current one.

    Raises:
        PackNotInstalledError, AmbiguousPackError: `reference` names none or several.
        NothingToRollBackError: it is the only version.
    """
    store = PackStore(home)
    path = store.find(reference)
    found = next(pack for pack in store.list() if pack.path == path)
    versions = store.versions(found.identity_id)
    if len(versions) == 1:
        raise NothingToRollBackError(name=found.name, version=found.version)
    return Rollback(before=versions[0], now=store.make_current(versions[1].pack_id))
