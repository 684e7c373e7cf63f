"""What the window remembers of a person: appearance, keys, its place. `settings.toml` is the runtime's own."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Literal

import msgspec

from satchel.runtime.atomic import save_bytes
from satchel.runtime.errors import SaveError

_FILE = "window.json"


class Preferences(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every key has a default; a file that cannot be read counts as none."""

    appearance: Literal["system", "light", "dark"] = "system"
    enter_sends: bool = True
    """False: Ctrl+Enter sends and Enter breaks the line."""
    language: str = ""
    """Empty: the system's."""
    reduced_motion: bool = False
    geometry: str = ""
    """Where the window was, as Qt writes it, in base 64."""
    history_shown: bool = True
    """The list of chats beside the chat."""
    sort: Literal["used", "name", "changed"] = "used"
    """How the library is sorted."""
    answer_with: dict[str, str] = {}
    """Assistant's id: the model that the person chose for its chats."""


def load_preferences(folder: Path) -> Preferences:
    """Read a person's preferences; what is damaged or from a newer Satchel is not worth an error."""
    try:
        return msgspec.json.decode((folder / _FILE).read_bytes(), type=Preferences)
    except (OSError, msgspec.DecodeError):
        return Preferences()


def save_preferences(folder: Path, preferences: Preferences) -> None:
    """Keep them; a full disk must not keep a window from closing."""
    with contextlib.suppress(SaveError, OSError):
        folder.mkdir(parents=True, exist_ok=True)
        save_bytes(folder / _FILE, msgspec.json.format(msgspec.json.encode(preferences)))
