"""`satchel index`: read a project's files and make them searchable; only what changed is read again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from satchel.runtime.errors import UsageError
from satchel.runtime.paths import Home
from satchel.runtime.progress import SILENT, Progress
from satchel.runtime.project.outcomes import ProjectIndex
from satchel.runtime.worker.process import Worker


def index_project(
    folder: Path, home: Home, *, rebuild: bool = False, threads: int = 0, progress: Progress = SILENT
) -> ProjectIndex:
    """Bring a project's index up to date; with `rebuild` everything is read and embedded anew.

    Runs in a process of its own: packs are mapped there, and a GUI stays free. Cancelled, it keeps what is done.

    Raises:
        ProjectError: the folder is no sound project; names the file and the key.
        SaveError: the disk is full.
        BusyError: another process is at it.
    """
    params = {
        "folder": os.fsencode(plain_path(folder)),
        "home": {"data": str(home.data), "cache": str(home.cache), "settings": str(home.settings)},
        "rebuild": rebuild,
        "threads": threads,
    }
    return msgspec.convert(run_with_progress("index", params, progress), ProjectIndex)


def have_pictures_read(folder: Path) -> bool:
    """Have pages without text read from their pictures from now on: `assistant.toml` says so; tells whether it is new.

    Raises:
        MissingExtraError: nothing that reads them is installed; the settings stay as they are.
        ProjectError, SaveError: the settings cannot be read or saved.
    """
    from satchel.runtime.knowledge.recognition.reading import missing_extra
    from satchel.runtime.knowledge.recognition.recogniser import recogniser_version
    from satchel.runtime.project.folder import load_project
    from satchel.runtime.project.save import save_assistant

    if not recogniser_version():
        raise missing_extra()
    assistant = load_project(folder).assistant
    if assistant.knowledge.read_pictures is True:
        return False
    knowledge = msgspec.structs.replace(assistant.knowledge, read_pictures=True)
    save_assistant(folder, msgspec.structs.replace(assistant, knowledge=knowledge))
    return True


def plain_path(folder: Path) -> Path:
    """Return a project's folder without "." and "..", so that it has a name and one place in the cache."""
    return Path(os.path.abspath(folder))  # noqa: PTH100 - `resolve` would follow a link and take that folder's name


def run_with_progress(method: str, params: dict[str, object], progress: Progress) -> dict[str, Any]:
    """Run a method of the project service to its end and hand its steps to `progress`; what that raises cancels it.

    Raises:
        UsageError: a negative number of threads.
    """
    if isinstance(threads := params["threads"], int) and threads < 0:
        raise UsageError(reason=f"--threads takes a number of at least 0, not {threads}")
    with Worker("satchel.runtime.project.service", name="indexing") as worker:
        stream = worker.stream(method, params)
        try:
            while True:
                stage, done, total = next(stream)
                progress(stage, done, total)
        except StopIteration as end:
            outcome: dict[str, Any] = end.value
            return {**outcome, "path": os.fsdecode(outcome["path"])}
        finally:
            stream.close()
