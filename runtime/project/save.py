"""Save a project's settings so that a person's comments and order survive."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import msgspec

from satchel.runtime.atomic import save_text
from satchel.runtime.project.errors import ProjectFormatError
from satchel.runtime.project.folder import SETTINGS_FILE
from satchel.runtime.project.schema import Assistant

_ALWAYS_WRITTEN = frozenset({"format", "id", "name"})


def save_assistant(folder: Path, assistant: Assistant) -> None:
    """Write `assistant.toml`, keeping the comments, order and line ends of the one that is there.

    Keys that have their default value are left out, unless the file already states them.

    Raises:
        ProjectFormatError: what is there cannot be read any more.
        SaveError: the disk is full or not writable.
    """
    import tomlkit

    path = folder / SETTINGS_FILE
    try:
        # Decoded by hand: reading as text would hide which line ends the file has.
        before = path.read_bytes().decode("utf-8-sig") if path.exists() else ""
        document = tomlkit.parse(before.replace("\r\n", "\n"))
    except (OSError, ValueError) as error:  # TOMLKit's errors and UnicodeDecodeError are ValueErrors
        raise ProjectFormatError(path=path, where="reading", reason=str(error).rstrip(".")) from error
    defaults = msgspec.to_builtins(Assistant(id=assistant.id, name=assistant.name))
    wanted = msgspec.to_builtins(assistant)
    stated = document.get("tools", {})
    wanted["tools"] = {
        name: {key: value for key, value in tool.items() if value or key in stated.get(name, {})}
        for name, tool in wanted["tools"].items()
    }
    _merge(document, wanted, defaults)
    text = tomlkit.dumps(document)
    save_text(path, text.replace("\n", "\r\n") if "\r\n" in before else text)


def _merge(target: MutableMapping[str, Any], new: dict[str, Any], defaults: dict[str, Any]) -> None:
    """Bring `target` to `new` with the fewest edits."""
    for key in [key for key in target if new.get(key) is None]:
        del target[key]
    for key, value in new.items():
        if value is None:
            continue
        if isinstance(value, dict):
            if key not in target:
                if value == defaults.get(key):
                    continue
                target[key] = {}
            known = defaults.get(key)
            _merge(target[key], value, known if isinstance(known, dict) else {})
        elif key in target:
            if target[key] != value:
                target[key] = value
        elif value != defaults.get(key) or key in _ALWAYS_WRITTEN:
            target[key] = value
