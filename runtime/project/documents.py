"""The files of a folder that may be documents, and those beside them that are not read, with the reason."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from satchel.runtime.project.errors import LeadsOutsideError
from satchel.runtime.project.naming import is_hidden

_LEADS_OUT = "it is a link that leads out of its folder, and is not followed"
_LEADS_NOWHERE = "it is a link that leads nowhere"


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file, or what cannot be read, `problem` saying why."""

    path: Path
    problem: str = ""


def find_documents(folder: Path) -> Iterator[FoundFile]:
    """Yield the files under a folder by name; hidden ones and what is no file (a pipe, a socket) are left out.

    Links within the folder are followed to files. Without the folder there is nothing to yield.

    Raises:
        OSError: the folder itself cannot be read.
    """
    unreadable: list[OSError] = []
    for place, folders, names in os.walk(folder, onerror=unreadable.append):
        here = Path(place)
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        # `os.walk` goes into no linked folder; one that leads elsewhere within this folder is read there.
        yield from (FoundFile(here / name, _LEADS_OUT) for name in folders if _leads_out(here / name, folder))
        for name in sorted(names):
            path = here / name
            if is_hidden(name):
                continue
            if _leads_out(path, folder):
                yield FoundFile(path, _LEADS_OUT)
            elif path.is_symlink() and not os.path.exists(path):  # noqa: PTH110 - Path's own fails in a closed folder
                yield FoundFile(path, _LEADS_NOWHERE)
            elif os.path.isfile(path):  # noqa: PTH113 - the same
                yield FoundFile(path)
    for error in unreadable:
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            continue
        if error.filename == str(folder):
            raise error
        yield FoundFile(Path(error.filename), f"it cannot be opened: {(error.strerror or str(error)).lower()}")


def within(project: Path, name: str) -> Path:
    """Return the path of a project's part, which may be absent; a link out of the project is not followed.

    A project may be a stranger's: what its links point to on this machine must not be shown, sealed or overwritten.

    Raises:
        LeadsOutsideError: it is such a link, or lies in a folder that is one.
    """
    path = project / name
    if not is_within(path, project):
        raise LeadsOutsideError(path=path, target=os.path.realpath(path))
    return path


def is_within(path: Path, folder: Path) -> bool:
    """Tell whether a path lies under a folder once all links are followed."""
    # Not `resolve`, which fails for a link to itself.
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _leads_out(path: Path, folder: Path) -> bool:
    return path.is_symlink() and not is_within(path, folder)
