"""The assistants of a person, as a library shows them: their own projects, installed packs, and the sample."""

from __future__ import annotations

import contextlib
import importlib.util
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from satchel.runtime.errors import SatchelError
from satchel.runtime.paths import Home

# Packs, projects and chats are imported where they are read: a window shows what it remembers of its library first.
if TYPE_CHECKING:
    from satchel.runtime.packfile.store import InstalledPack

Kind = Literal["project", "pack", "sample"]

_SAMPLE = "astronomy-tutor.pack"
_LIST = "library.json"
_AVATAR_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class LibraryEntry:
    """One assistant."""

    reference: str
    """What `open_session` takes: a folder, a pack's file, or an installed pack's id."""
    kind: Kind
    id: str
    """The assistant's own id, which its chats carry."""
    name: str
    description: str = ""
    author: str = ""
    version: str = ""
    files: int = 0
    links: int = 0
    """Linked folders; the files in them are not counted."""
    tools: tuple[str, ...] = ()
    asks: bool = False
    """It requests something that a person has to grant."""
    avatar: bytes = b""
    size: int = 0
    """Bytes of a pack's file; 0 for a folder."""
    changed: float | None = None
    """When a project was last saved, in seconds since 1970; None for packs."""
    used: float | None = None
    """When somebody last talked with it."""
    own_folder: bool = False
    """A project in Satchel's own folder: deleting the assistant deletes it."""
    problem: str = ""
    """Why it cannot be opened; empty when it can."""


class _Listed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a library remembers beside what lies in its folders."""

    folders: tuple[str, ...] = ()
    """Projects elsewhere that the person opened."""
    sample_removed: bool = False


def projects_folder(home: Home) -> Path:
    """Return where assistants that are made in the app lie, a folder each."""
    return home.data / "assistants"


def list_library(home: Home) -> tuple[LibraryEntry, ...]:
    """Return every assistant, by name. One that cannot be read is there with its problem."""
    from satchel.runtime.packfile.store import PackStore
    from satchel.runtime.project.folder import SETTINGS_FILE

    listed = _load(home)
    used = _last_used(home)
    own = projects_folder(home)
    folders = sorted(path.parent for path in own.glob(f"*/{SETTINGS_FILE}")) if own.is_dir() else []
    found = [_project(folder, own_folder=True) for folder in folders]
    found += [_project(Path(folder), own_folder=False) for folder in listed.folders]
    found += [_pack(pack) for pack in PackStore(home).list() if pack.current]
    sample = sample_pack()
    if sample is not None and not listed.sample_removed:
        entry = _described(sample, str(sample), "sample")
        if all(other.id != entry.id for other in found):
            found.append(entry)
    dated = [replace(entry, used=used.get(entry.id)) for entry in found]
    return tuple(sorted(dated, key=lambda entry: (entry.name.casefold(), entry.reference)))


def remember_folder(folder: Path, home: Home) -> None:
    """Show a project that lies elsewhere; once is enough.

    Raises:
        NoProjectError, ProjectFormatError: it is none, or not a sound one.
        SaveError: the disk is full or not writable.
    """
    from satchel.runtime.project.folder import load_project

    path = Path(os.path.abspath(folder))  # noqa: PTH100 - `resolve` would follow a link
    load_project(path)
    listed = _load(home)
    if path.parent != projects_folder(home) and str(path) not in listed.folders:
        _save(home, msgspec.structs.replace(listed, folders=(*listed.folders, str(path))))


def forget_folder(folder: Path, home: Home) -> None:
    """Show a project elsewhere no longer; the folder stays as it is."""
    listed = _load(home)
    left = tuple(known for known in listed.folders if known != str(folder))
    _save(home, msgspec.structs.replace(listed, folders=left))


def show_sample(home: Home, *, shown: bool) -> None:
    """Take the sample assistant out of the library, or put it back."""
    _save(home, msgspec.structs.replace(_load(home), sample_removed=not shown))


def sample_pack() -> Path | None:
    """Return the sample assistant's pack; None where this installation carries none."""
    spec = importlib.util.find_spec("satchel.packs")
    for folder in spec.submodule_search_locations or () if spec is not None else ():
        path = Path(folder) / _SAMPLE
        if path.is_file():
            return path
    return None


def _project(folder: Path, *, own_folder: bool) -> LibraryEntry:
    from satchel.runtime.project.folder import AVATAR_FILE, load_project

    try:
        project = load_project(folder)
        files = project.knowledge_files()
    except (SatchelError, OSError) as error:
        return LibraryEntry(str(folder), "project", str(folder), folder.name, own_folder=own_folder, problem=str(error))
    assistant = project.assistant
    tools = assistant.tools
    return LibraryEntry(
        reference=str(folder),
        kind="project",
        id=assistant.id,
        name=assistant.name,
        description=assistant.description,
        author=assistant.author,
        version=assistant.version,
        files=sum(not file.linked for file in files) + len(assistant.knowledge.from_pack),
        links=len(assistant.knowledge.links),
        tools=tuple(tools),
        asks=any(tool.requests for tool in tools.values()),
        avatar=_avatar(folder / AVATAR_FILE),
        changed=_changed(folder),
        own_folder=own_folder,
    )


def _pack(pack: InstalledPack) -> LibraryEntry:
    try:
        return _described(pack.path, pack.pack_id, "pack")
    except SatchelError as error:
        return LibraryEntry(pack.pack_id, "pack", pack.identity_id, pack.name, size=pack.size, problem=error.message)


def _described(path: Path, reference: str, kind: Kind) -> LibraryEntry:
    from satchel.runtime.packfile import names
    from satchel.runtime.packfile.knowledge_check import read_files
    from satchel.runtime.packfile.opener import open_pack
    from satchel.runtime.project.folder import AVATAR_FILE

    with open_pack(path, verify=False) as pack:
        manifest = pack.manifest
        return LibraryEntry(
            reference=reference,
            kind=kind,
            id=manifest.identity.id,
            name=manifest.identity.name,
            description=manifest.persona.description,
            author=manifest.identity.author,
            version=manifest.identity.version,
            files=len(read_files(pack)) if names.FILES in pack else 0,
            tools=tuple(tool.name for tool in manifest.tools),
            asks=any(tool.requests for tool in manifest.tools),
            avatar=pack.read(AVATAR_FILE) if AVATAR_FILE in pack else b"",
            size=pack.stamp.size,
        )


def _avatar(path: Path) -> bytes:
    with contextlib.suppress(OSError):
        if path.stat().st_size <= _AVATAR_BYTES:
            return path.read_bytes()
    return b""


def _changed(folder: Path) -> float | None:
    from satchel.runtime.project.folder import INSTRUCTIONS_FILE, SETTINGS_FILE

    times = []
    for name in (SETTINGS_FILE, INSTRUCTIONS_FILE):
        with contextlib.suppress(OSError):
            times.append((folder / name).stat().st_mtime)
    return max(times, default=None)


def _last_used(home: Home) -> dict[str, float]:
    if not home.history.exists():
        return {}
    from satchel.runtime.session.history import History

    with History(home.history) as history:
        # The last used comes first, so that the first of an assistant is the one that counts.
        used: dict[str, float] = {}
        for chat in history.chats():
            used.setdefault(chat.assistant_id, chat.updated)
        return used


def _load(home: Home) -> _Listed:
    try:
        return msgspec.json.decode((home.data / _LIST).read_bytes(), type=_Listed)
    except (OSError, msgspec.DecodeError):
        return _Listed()


def _save(home: Home, listed: _Listed) -> None:
    from satchel.runtime.atomic import save_bytes

    save_bytes(home.data / _LIST, msgspec.json.encode(listed))
