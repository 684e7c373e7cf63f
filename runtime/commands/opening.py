"""Find what a person means by PACK_OR_FOLDER and open it: a folder, a pack file, or an installed pack."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from satchel.runtime.commands.index import index_project
from satchel.runtime.packfile.errors import PackNotInstalledError
from satchel.runtime.packfile.store import PackStore
from satchel.runtime.packfile.verified import VerifiedPack
from satchel.runtime.paths import Home
from satchel.runtime.progress import SILENT, Progress
from satchel.runtime.project.errors import AssistantMissingError
from satchel.runtime.project.folder import load_project
from satchel.runtime.session.assistant import LoadedAssistant, from_pack, from_project

Verify: TypeAlias = Callable[[Path], VerifiedPack]
"""Verifies a pack's file that is not known yet; a window lets another process do it."""


def open_assistant(
    reference: str, home: Home, *, verify: Verify | None = None, progress: Progress = SILENT
) -> LoadedAssistant:
    """Open an assistant; a folder's files are read first when they changed, a pack is verified when it is new here.

    `verify` does that in the place of this process.

    Raises:
        AssistantMissingError: it is none of the three.
        PackError, ProjectFormatError, DocumentError: by their docstrings.
    """
    path = Path(reference)
    if is_folder(reference):
        project = load_project(path)
        if not project.knowledge_files() and not project.assistant.knowledge.from_pack:
            return from_project(project, None)
        index = index_project(path, home, progress=progress)
        verify = verify or _verify_here(home, progress)
        unread = tuple(file.left_out for file in index.files if file.left_out)
        return from_project(project, verify(Path(index.path)) if index.path else None, unread=unread)
    verified = find_pack(reference, home, verify=verify, progress=progress)
    with verified.open() as pack:
        return from_pack(pack, verified)


def open_settings(reference: str, home: Home) -> LoadedAssistant:
    """Open an assistant without its knowledge: what it is and asks for, with no file read anew.

    Raises:
        AssistantMissingError, PackError, ProjectFormatError: by their docstrings.
    """
    if is_folder(reference):
        return from_project(load_project(Path(reference)), None)
    verified = find_pack(reference, home)
    with verified.open() as pack:
        return from_pack(pack, verified)


def is_folder(reference: str) -> bool:
    """Tell whether a person means a folder."""
    return os.path.isdir(reference)  # noqa: PTH112 - unlike Path.is_dir, it says no to a name too long


def find_pack(reference: str, home: Home, *, verify: Verify | None = None, progress: Progress = SILENT) -> VerifiedPack:
    """Return the verified file of a pack: a path, or the name or id of an installed one.

    Raises:
        AssistantMissingError: there is neither.
        PackError: it is not sound.
    """
    verify = verify or _verify_here(home, progress)
    path = Path(reference)
    if os.path.isfile(reference):  # noqa: PTH113 - unlike Path.is_file, it says no to a name too long
        return verify(path)
    try:
        return verify(PackStore(home).find(reference))
    except PackNotInstalledError as error:
        raise AssistantMissingError(reference=reference, path=os.path.abspath(reference)) from error  # noqa: PTH100 - as it was meant


def _verify_here(home: Home, progress: Progress) -> Verify:
    return lambda path: PackStore(home).verify_once(path, progress=progress)
