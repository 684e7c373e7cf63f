"""`satchel build`: seal a project into one `.pack` file."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from satchel.runtime.commands.index import plain_path, run_with_progress
from satchel.runtime.paths import Home
from satchel.runtime.progress import SILENT, Progress
from satchel.runtime.project.outcomes import BuiltPack


def build_pack(
    folder: Path,
    destination: Path | None,
    home: Home,
    *,
    sources: bool = True,
    strict: bool = False,
    threads: int = 0,
    progress: Progress = SILENT,
) -> BuiltPack:
    """Seal a project; `destination` keeps its old bytes or holds the whole new pack.

    Without a destination the pack lies beside the folder, under its name. Without `sources` it carries the files' text
    and vectors, but not the files. A file that could not be read is left out with its reason, or refused with `strict`.

    Raises:
        UnreadableFilesError: `strict`, and a file could not be read; names each with its reason.
        PackLimitError: it would pass 4 GiB; carries the sums.
        SaveError: the disk is full or not writable.
        BusyError: another process is writing the same pack.
    """
    folder = plain_path(folder)
    target = destination.absolute() if destination is not None else default_destination(folder)
    params = {
        "folder": os.fsencode(folder),
        "destination": os.fsencode(target),
        "home": {"data": str(home.data), "cache": str(home.cache), "settings": str(home.settings)},
        "sources": sources,
        "strict": strict,
        "threads": threads,
    }
    return msgspec.convert(run_with_progress("build", params, progress), BuiltPack)


def default_destination(folder: Path) -> Path:
    """Return the place of a project's own pack: beside its folder. Its vectors serve the next index of the project."""
    folder = plain_path(folder)
    return folder.parent / f"{folder.name}.pack"
