"""What takes how much room on the disk, and how it is given back; without a widget."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from satchel.builder.language import counted, translate
from satchel.builder.library.actions import delete_entry
from satchel.runtime.commands.library import LibraryEntry, list_library
from satchel.runtime.commands.models_remove import remove_model
from satchel.runtime.models.pulled import pulled_models
from satchel.runtime.paths import Home
from satchel.runtime.session.history import History

Kind: TypeAlias = Literal["model", "pack", "project", "chats", "cache"]


@dataclass(frozen=True, slots=True)
class StoredItem:
    """Something that can be deleted."""

    kind: Kind
    name: str
    about: str
    bytes: int
    used: float | None = None
    """When it was last used, in seconds since 1970; None: nobody knows."""
    entry: LibraryEntry | None = None
    """The assistant that it is."""


def read_storage(home: Home) -> tuple[StoredItem, ...]:
    """Look at everything that Satchel keeps, the largest of each kind first."""
    models = [
        StoredItem(
            "model",
            model.name,
            translate("Storage", "model, downloaded by Satchel"),
            sum(path.stat().st_size for path in model.paths if path.is_file()),
        )
        for model in pulled_models(home.models)
    ]
    entries = list_library(home)
    packs = [
        StoredItem("pack", entry.name, translate("Storage", "pack, received"), entry.size, entry.used, entry)
        for entry in entries
        if entry.kind == "pack"
    ]
    projects = [
        StoredItem(
            "project",
            entry.name,
            translate("Storage", "assistant, yours"),
            _size(Path(entry.reference)),
            max(entry.used or 0.0, entry.changed or 0.0) or None,
            entry,
        )
        for entry in entries
        if entry.kind == "project" and entry.own_folder
    ]
    found = [*_largest_first(models), *_largest_first(packs), *_largest_first(projects)]
    if (chats := _chats(home)) is not None:
        found.append(chats)
    said = translate("Storage", "made again when needed: texts, vectors, prepared models")
    found.append(StoredItem("cache", translate("Storage", "Caches"), said, _size(home.cache)))
    return tuple(found)


def delete_item(item: StoredItem, home: Home) -> None:
    """Give its room back.

    Raises:
        SatchelError: it cannot be deleted; says why.
    """
    if item.kind == "cache":
        for path in home.cache.iterdir() if home.cache.is_dir() else ():
            _delete(path)
    elif item.kind == "chats":
        with History(home.history) as history:
            for chat in history.chats():
                history.delete_chat(chat.id)
    elif item.kind == "model":
        remove_model(item.name, home)
    elif item.entry is not None:
        delete_entry(item.entry, home)


def total(items: tuple[StoredItem, ...]) -> int:
    """Return the bytes of all."""
    return sum(item.bytes for item in items)


def _chats(home: Home) -> StoredItem | None:
    if not home.history.exists():
        return None
    with History(home.history) as history:
        chats = history.chats()
    if not chats:
        return None
    files = (home.history, home.history.with_name(f"{home.history.name}-wal"))
    size = sum(path.stat().st_size for path in files if path.is_file())
    about = counted(len(chats), translate("Storage", "{n} chat"), translate("Storage", "{n} chats"))
    return StoredItem("chats", translate("Storage", "Chats"), about, size, chats[0].updated)


def _largest_first(items: list[StoredItem]) -> list[StoredItem]:
    return sorted(items, key=lambda item: -item.bytes)


def _size(folder: Path) -> int:
    """Return the bytes of the files under a folder; what lies elsewhere behind a link is not counted."""
    count = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                count += os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118 - thousands of files
    return count


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
