"""Small project folders, and what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

ASSISTANT_ID = "0d5f1a52-8a3c-4d7e-9b1f-2c3d4e5f6a7b"
SETTINGS = f'format = 1\nid = "{ASSISTANT_ID}"\nname = "Tide tutor"\n'


def write_project(folder: Path, *, settings: str = "", files: Mapping[str, str | bytes] | None = None) -> Path:
    """Make a valid project; `settings` is put after its three necessary keys."""
    write_files(folder, {"assistant.toml": SETTINGS + settings, **(files or {})})
    return folder


def write_files(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files by their relative names, with the folders that they need."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def snapshot(folder: Path) -> dict[str, bytes]:
    """Return every file under a folder with its bytes."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
