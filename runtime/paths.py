"""The folders where Satchel keeps its files."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

HOME_VARIABLE = "SATCHEL_HOME"


@dataclass(frozen=True, slots=True)
class Home:
    """Where this person's Satchel files live; passed in, never looked up by the code that uses it."""

    data: Path
    """What must not be lost: installed packs, chats, grants, models."""
    cache: Path
    """What can be rebuilt: vectors, extracted text, runnable GGUFs of the bundled models."""
    settings: Path
    person: Path | None = field(default=None, compare=False)
    """This person's own folder, where other programs keep models that can be used too; None: none are looked for."""

    @property
    def packs(self) -> Path:
        """The read-only store of installed packs, one file a pack id."""
        return self.data / "packs"

    @property
    def models(self) -> Path:
        """Models that a person pulled or put here."""
        return self.data / "models"

    @property
    def history(self) -> Path:
        """The SQLite file of all chats."""
        return self.data / "history.sqlite3"


def find_home() -> Home:
    """Return the folders named by `SATCHEL_HOME`, else the platform's own; creates nothing."""
    person = _own_folder()
    root = os.environ.get(HOME_VARIABLE)
    if root:
        # Not `expanduser`, which fails for a person that this machine does not know.
        base = Path(os.path.expanduser(root)).absolute()  # noqa: PTH111 - see above
        return Home(data=base / "data", cache=base / "cache", settings=base / "settings", person=person)
    from platformdirs import PlatformDirs

    folders = PlatformDirs("satchel", appauthor=False)
    return Home(
        data=folders.user_data_path,
        cache=folders.user_cache_path,
        settings=folders.user_config_path,
        person=person,
    )


def _own_folder() -> Path | None:
    folder = os.path.expanduser("~")  # noqa: PTH111 - see above
    return Path(folder) if os.path.isabs(folder) else None  # noqa: PTH117 - on text, as what it is asked of
