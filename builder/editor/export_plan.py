"""What an export would hold, without a widget."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from satchel.runtime.project.folder import load_project
from satchel.runtime.project.outcomes import ProjectIndex

_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f]+')
_ENTRY_BYTES = 2048
"""About what manifest and headers add for a file."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """About how large each kind of pack becomes, in bytes."""

    with_sources: int
    without_sources: int
    files: int


def sizes(folder: Path, index: ProjectIndex | None) -> Sizes:
    """Return what to expect; the index that lies in the cache is what a pack without sources holds.

    Raises:
        SatchelError: the project cannot be read.
    """
    project = load_project(folder)
    text = Path(index.path).stat().st_size if index is not None and index.path else 0
    own = len(project.instructions.encode()) + sum(
        path.stat().st_size for name in ("avatar.png", "examples.jsonl") if (path := folder / name).is_file()
    )
    files = [file for file in project.knowledge_files() if not file.problem]
    sources = sum(file.path.stat().st_size + _ENTRY_BYTES for file in files)
    return Sizes(text + own + sources + _ENTRY_BYTES, text + own + _ENTRY_BYTES, len(files))


def file_name(name: str) -> str:
    """Return what a pack's file is called: "Tide tutor.pack"."""
    return (" ".join(_UNSAFE.sub(" ", name).split()).strip(" .") or "assistant") + ".pack"
