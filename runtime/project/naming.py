"""What knowledge files are called: names that every system can hold, no two of which are the same."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import PurePosixPath

from satchel.runtime.packfile.names import UNSAFE_CHARACTERS, collision_key

_UNSAFE = re.compile(rf"[{UNSAFE_CHARACTERS}\\]")
_DRIVE = re.compile(r"\A([A-Za-z]):")


def knowledge_name(name: str) -> str:
    """Return a file's name on the disk as it can be shown, cited and sealed on every system.

    Composed Unicode; what is not UTF-8 becomes U+FFFD; control and direction-changing characters and backslashes
    become `_`, and so does the colon of what would be a drive.
    """
    text = unicodedata.normalize("NFC", os.fsencode(name).decode(errors="replace"))
    return _DRIVE.sub(r"\1_", _UNSAFE.sub("_", text))


def is_hidden(name: str) -> bool:
    """Tell whether a file or folder of this name is left out of what an assistant knows."""
    # "~$report.docx" is the lock file that Word leaves beside an open document.
    return name.startswith((".", "~$"))


class NamesTaken:
    """The names given so far; the next file that would have one of them, or needs a folder of it, gets a number."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._folders: set[str] = set()

    def take(self, name: str) -> str:
        """Return `name`, or "notes (2).md" for "notes.md", as one that is a file or a folder and never both."""
        *folders, file = PurePosixPath(name).parts
        place = PurePosixPath()
        for folder in folders:
            # Two folders may share a name; their files do not.
            place = _numbered(place / folder, self._files)
            self._folders.add(collision_key(place.as_posix()))
        found = _numbered(place / file, self._files | self._folders).as_posix()
        self._files.add(collision_key(found))
        return found


def _numbered(path: PurePosixPath, taken: set[str]) -> PurePosixPath:
    tried, number = path, 1
    while collision_key(tried.as_posix()) in taken:
        number += 1
        tried = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return tried
