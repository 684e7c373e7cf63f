"""Find the file that a person means by PACK: one that lies somewhere, or an installed pack by its name or id."""

from __future__ import annotations

import os
from pathlib import Path

from satchel.runtime.packfile.errors import PackNotInstalledError
from satchel.runtime.packfile.store import PackStore
from satchel.runtime.paths import Home


def pack_file(reference: str, home: Home) -> Path:
    """Return the path; where nothing of that name is there, too, because opening it says so.

    Raises:
        AmbiguousPackError: several installed packs fit.
    """
    if os.path.lexists(reference):
        return Path(reference)
    try:
        return PackStore(home).find(reference)
    except PackNotInstalledError:
        return Path(reference)
