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
