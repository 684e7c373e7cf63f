"""Find what a person means by PACK_OR_FOLDER and open it: a folder, a pack file, or an installed pack."""

from __future__ import annotations

from pathlib import Path

from satchel.runtime.commands.index import index_project
from satchel.runtime.packfile.errors import PackNotInstalledError
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.packfile.store import PackStore
from satchel.runtime.paths import Home
from satchel.runtime.progress import SILENT, Progress
from satchel.runtime.project.errors import AssistantMissingError
from satchel.runtime.project.folder import load_project
from satchel.runtime.session.assistant import LoadedAssistant, from_pack, from_project


def open_assistant(reference: str, home: Home, *, progress: Progress = SILENT) -> LoadedAssistant:
    """Open an assistant; a folder's files are read first when they changed, a pack is verified when it is new here.

    Raises:
        AssistantMissingError: it is none of the three.
        PackError, ProjectFormatError, DocumentError: by their docstrings.
    """
    path = Path(reference)
    if path.is_dir():
        project = load_project(path)
        return from_project(project, index_project(project, home, progress=progress).folder)
    with open_pack(find_pack(reference, home), verify=False) as pack:
        return from_pack(pack)


def find_pack(reference: str, home: Home) -> Path:
    """Return the verified file of a pack: a path, or the name or id of an installed one.

    Raises:
        AssistantMissingError: there is neither.
        PackError: it is not sound.
    """
    store = PackStore(home)
    path = Path(reference)
    if path.is_file():
        store.verify_once(path)
        return path
    try:
        return store.find(reference)
    except PackNotInstalledError as error:
        raise AssistantMissingError(reference=reference) from error
