"""`satchel add`: bring knowledge files into a project, by copy or by link."""

from __future__ import annotations

import filecmp
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from satchel.runtime.atomic import replacing
from satchel.runtime.project.errors import KnowledgeFileExistsError, NothingToAddError
from satchel.runtime.project.folder import (
    KNOWLEDGE_FOLDER,
    Project,
    document_paths,
    is_hidden,
    knowledge_name,
    linked_path,
    load_project,
)
from satchel.runtime.project.save import save_assistant


@dataclass(frozen=True, slots=True)
class AddedFile:
    """What became of one file; `reason` says why it was skipped."""

    name: str
    state: Literal["added", "replaced", "unchanged", "linked", "skipped"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Added:
    """The files of one `add`, in the order given."""

    folder: Path
    files: tuple[AddedFile, ...]


def add_knowledge(folder: Path, sources: Sequence[Path], *, link: bool = False, replace: bool = False) -> Added:
    """Copy files and folders into a project's `knowledge/`, or link them.

    All names are checked before the first byte is copied, so that a refusal leaves the project as it was.

    Raises:
        NoProjectError: the folder is no project.
        NothingToAddError: a source is not there, or holds no file.
        KnowledgeFileExistsError: a file of that name has other content, and `replace` is false.
    """
    project = load_project(folder)
    for source in sources:
        if not os.path.exists(source):  # noqa: PTH110 - unlike Path.exists, it says no to a name too long
            raise NothingToAddError(path=source, reason="it does not exist")
    return Added(folder, _link(project, sources) if link else _copy(project, sources, replace=replace))


def _link(project: Project, sources: Sequence[Path]) -> tuple[AddedFile, ...]:
    links = list(project.assistant.knowledge.links)
    known = {linked_path(project.folder, entry).resolve() for entry in links}
    added = []
    for source in sources:
        if source.resolve() in known:
            added.append(AddedFile(str(source), "unchanged", "it is linked already"))
            continue
        links.append(_link_text(source, project.folder))
        known.add(source.resolve())
        added.append(AddedFile(str(source), "linked"))
    knowledge = msgspec.structs.replace(project.assistant.knowledge, links=links)
    save_assistant(project.folder, msgspec.structs.replace(project.assistant, knowledge=knowledge))
    return tuple(added)


def _link_text(source: Path, folder: Path) -> str:
    """Relative where the two share a parent other than the root, so that both can move together."""
    source, folder = source.resolve(), folder.resolve()
    if any("\ud800" <= character <= "\udfff" for character in str(source)):
        raise NothingToAddError(path=source, reason="its name is not UTF-8, so assistant.toml cannot hold it")
    shared = Path(os.path.commonpath([source, folder])) if source.anchor == folder.anchor else Path(source.anchor)
    if shared == Path(source.anchor):
        return source.as_posix()
    return Path(os.path.relpath(source, folder)).as_posix()


def _copy(project: Project, sources: Sequence[Path], *, replace: bool) -> tuple[AddedFile, ...]:
    knowledge = project.folder / KNOWLEDGE_FOLDER
    entries: list[AddedFile] = []
    coming: dict[Path, Path] = {}
    folders: set[Path] = set()
    for source, name in _named_files(sources):
        if any(is_hidden(part) for part in name.split("/")):
            entries.append(AddedFile(name, "skipped", "hidden files are not read"))
            continue
        target = knowledge / name
        above = target.parents[: name.count("/")]
        if target in folders or any(folder in coming or folder.is_file() for folder in above):
            raise KnowledgeFileExistsError(name=name)
        # Of two sources of one name, the second meets what the first is about to leave there.
        there = coming.get(target, target)
        if not there.exists():
            entries.append(AddedFile(name, "added"))
        elif there.is_file() and _same_content(source, there):
            entries.append(AddedFile(name, "unchanged"))
            continue
        elif replace and there is target and target.is_file():
            entries.append(AddedFile(name, "replaced"))
        else:
            raise KnowledgeFileExistsError(name=name)
        coming[target] = source
        folders.update(above)
    for target, source in coming.items():
        with replacing(target) as writing:
            for piece in _pieces(source):
                writing.write(piece)
    return tuple(entries)


def _named_files(sources: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    for source in sources:
        if source.is_dir():
            top = source.resolve().name
            names = [
                (path, knowledge_name(f"{top}/{path.relative_to(source).as_posix()}".lstrip("/")))
                for path in document_paths(source)
            ]
            if not names:
                raise NothingToAddError(path=source, reason="the folder holds no file")
            yield from names
        elif source.is_file():
            yield source, knowledge_name(source.name)
        else:
            raise NothingToAddError(path=source, reason="it is neither a file nor a folder")


def _same_content(source: Path, there: Path) -> bool:
    try:
        return filecmp.cmp(source, there, shallow=False)
    except OSError as error:
        raise _unreadable(source, error) from error


def _pieces(source: Path) -> Iterator[bytes]:
    """Yield a file's bytes; a failure to read names the source, where `replacing` would blame the copy."""
    try:
        with source.open("rb") as reading:
            while piece := reading.read(1 << 20):
                yield piece
    except OSError as error:
        raise _unreadable(source, error) from error


def _unreadable(source: Path, error: OSError) -> NothingToAddError:
    return NothingToAddError(path=source, reason=(error.strerror or str(error)).lower())
