"""Make an editable copy of an assistant: a project of its own, with an id and a name of its own."""

from __future__ import annotations

import re
import shutil
import unicodedata
from pathlib import Path

import msgspec

from satchel.runtime.commands.library import projects_folder
from satchel.runtime.commands.opening import find_pack, is_folder
from satchel.runtime.commands.unpack import unpack
from satchel.runtime.errors import SaveError
from satchel.runtime.paths import Home
from satchel.runtime.progress import SILENT, Progress
from satchel.runtime.project.folder import Project, linked_path, load_project
from satchel.runtime.project.naming import is_hidden
from satchel.runtime.project.save import save_assistant
from satchel.runtime.project.schema import new_id

_LONGEST = 60
_BREAK = re.compile(r"[^\w]+")


def duplicate(reference: str, name: str, home: Home, *, progress: Progress = SILENT) -> Project:
    """Copy a project, or unpack a pack, into the person's own folder of assistants.

    Raises:
        AssistantMissingError: it is neither a folder nor a pack.
        PackError, ProjectFormatError: it is not sound.
        SaveError: the disk is full or not writable.
    """
    folder = free_folder(name, home)
    if is_folder(reference):
        _copy(load_project(Path(reference)), folder)
    else:
        unpack(find_pack(reference, home, progress=progress).path, folder, progress=progress)
    copied = load_project(folder)
    save_assistant(folder, msgspec.structs.replace(copied.assistant, id=new_id(), name=name))
    return load_project(folder)


def free_folder(name: str, home: Home) -> Path:
    """Return a folder for a new assistant of this name that is not there yet: "tide-tutor", "tide-tutor-2"."""
    plain = unicodedata.normalize("NFC", name).casefold()
    stem = _BREAK.sub("-", plain)[:_LONGEST].strip("-") or "assistant"
    own = projects_folder(home)
    folder, number = own / stem, 1
    while folder.exists():
        number += 1
        folder = own / f"{stem}-{number}"
    return folder


def _copy(project: Project, folder: Path) -> None:
    """Copy a project whole or not at all; its linked folders stay where they are, and the copy links them as well."""
    partial = folder.with_name(f".{folder.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(project.folder, partial, ignore=_left_out, symlinks=True)
        knowledge = project.assistant.knowledge
        links = [str(linked_path(project.folder, link)) for link in knowledge.links]
        if links != knowledge.links:
            moved = msgspec.structs.replace(knowledge, links=links)
            save_assistant(partial, msgspec.structs.replace(project.assistant, knowledge=moved))
        partial.rename(folder)
    except (OSError, shutil.Error) as error:
        shutil.rmtree(partial, ignore_errors=True)
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise SaveError(path=folder, reason=reason) from error


def _left_out(folder: str, names: list[str]) -> set[str]:
    """Leave out what is no part of an assistant: `.git`, an editor's files; `.satchel` holds its own pack."""
    del folder
    return {name for name in names if is_hidden(name) and name != ".satchel"}
