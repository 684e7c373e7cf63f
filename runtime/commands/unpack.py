"""`satchel unpack`: turn a pack into an editable project, from a pack without sources too."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from satchel.runtime.atomic import replacing, save_bytes, save_text
from satchel.runtime.errors import SaveError
from satchel.runtime.packfile import names
from satchel.runtime.packfile.knowledge_check import check_knowledge, read_files
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.packfile.pack import Pack
from satchel.runtime.packfile.schema_v1 import KnowledgeFile
from satchel.runtime.progress import SILENT, Progress
from satchel.runtime.project.errors import FolderNotEmptyError
from satchel.runtime.project.folder import (
    AVATAR_FILE,
    CASES_FILE,
    EXAMPLES_FILE,
    INSTRUCTIONS_FILE,
    KNOWLEDGE_FOLDER,
    MCP_FILE,
    ORIGIN_PACK,
    SETTINGS_FILE,
)
from satchel.runtime.project.save import save_assistant
from satchel.runtime.project.template import shown_settings
from satchel.runtime.project.unpacked import other_embedder, unpacked_assistant


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The new folder, and which knowledge files have their source in it."""

    folder: Path
    name: str
    with_source: tuple[str, ...]
    text_only: tuple[str, ...]
    """Their text and vectors are kept for this project; the files themselves were not in the pack."""
    other_embedder: str = ""
    """What made the pack's vectors, where Satchel does not know it: the project has the default, and embeds anew."""
    has_tools: bool = False
    """Ticked by the pack's author: they ask first, until the folder is taken for one's own (`satchel grant`)."""


def unpack(path: Path, folder: Path, *, progress: Progress = SILENT) -> Unpacked:
    """Verify a pack and write its project; it appears whole or not at all.

    Raises:
        FolderNotEmptyError: the folder is there and not empty.
        PackError: it is no sound pack.
        SaveError: the disk is full or not writable.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderNotEmptyError(folder=folder)
    with open_pack(path, verify=True, progress=progress) as pack:
        check_knowledge(pack, progress=progress)
        files = read_files(pack)
        partial = _partial_folder(folder)
        try:
            _write(pack, files, partial)
            if folder.exists():
                _move_up(partial)
            else:
                partial.chmod(0o755)
                partial.rename(folder)
        except OSError as error:
            shutil.rmtree(partial, ignore_errors=True)
            raise _unsaved(folder, error) from error
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        return Unpacked(
            folder,
            pack.manifest.identity.name,
            tuple(file.name for file in files if file.source),
            tuple(file.name for file in files if not file.source),
            other_embedder(pack),
            bool(pack.manifest.tools),
        )


def _partial_folder(folder: Path) -> Path:
    """Make the folder that is written first: beside the new one, or in the one that is there.

    An empty one that is there stays itself: it may be the current folder, or the top of another disk.
    """
    try:
        place = folder if folder.exists() else folder.absolute().parent
        place.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f".{folder.name[:50]}.", suffix=".partial", dir=place))
    except OSError as error:
        raise _unsaved(folder, error) from error


def _move_up(partial: Path) -> None:
    """Move everything into the folder above, the settings last: they make it a project."""
    moved: list[Path] = []
    try:
        for path in sorted(partial.iterdir(), key=lambda path: path.name == SETTINGS_FILE):
            target = partial.parent / path.name
            path.rename(target)
            moved.append(target)
        partial.rmdir()
    except BaseException:
        for path in moved:
            path.rename(partial / path.name)
        raise


def _unsaved(folder: Path, error: OSError) -> SaveError:
    return SaveError(path=folder, reason=(error.strerror or str(error)).lower())


def _write(pack: Pack, files: tuple[KnowledgeFile, ...], folder: Path) -> None:
    (folder / KNOWLEDGE_FOLDER).mkdir()
    assistant = unpacked_assistant(pack, files)
    save_text(folder / SETTINGS_FILE, shown_settings(assistant))
    save_assistant(folder, assistant)
    save_text(folder / INSTRUCTIONS_FILE, pack.read(INSTRUCTIONS_FILE).decode() if INSTRUCTIONS_FILE in pack else "")
    plain = {EXAMPLES_FILE, AVATAR_FILE, MCP_FILE, CASES_FILE}
    for name in pack.names:
        if name in plain or name.startswith("actions/"):
            save_bytes(folder / PurePosixPath(name), pack.read(name))
    for file in files:
        if file.source:
            # Names in files.json passed the opener's check: relative, without "..", fit for every system.
            with replacing(folder / KNOWLEDGE_FOLDER / PurePosixPath(file.name)) as writing:
                for chunk in pack.chunks(file.source):
                    writing.write(chunk)
    if names.FILES in pack:
        # For texts without sources, and for the vectors: what the author computed is not computed again.
        with replacing(folder / ORIGIN_PACK) as writing, pack.path.open("rb") as reading:
            shutil.copyfileobj(reading, writing, 1 << 20)
