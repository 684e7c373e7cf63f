"""`satchel add`: bring knowledge files into a project, by copy or by link."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from satchel.runtime.atomic import replacing
from satchel.runtime.project.errors import KnowledgeFileExistsError, NothingToAddError
from satchel.runtime.project.folder import KNOWLEDGE_FOLDER, Project, document_paths, load_project
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
        if not source.exists():
            raise NothingToAddError(path=source, reason="it does not exist")
    return Added(folder, _link(project, sources) if link else _copy(project, sources, replace=replace))


def _link(project: Project, sources: Sequence[Path]) -> tuple[AddedFile, ...]:
    links = list(project.assistant.knowledge.links)
    known = {(project.folder / Path(entry).expanduser()).resolve() for entry in links}
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
    shared = Path(os.path.commonpath([source, folder])) if source.anchor == folder.anchor else Path(source.anchor)
    if shared == Path(source.anchor):
        return source.as_posix()
    return Path(os.path.relpath(source, folder)).as_posix()


def _copy(project: Project, sources: Sequence[Path], *, replace: bool) -> tuple[AddedFile, ...]:
    knowledge = project.folder / KNOWLEDGE_FOLDER
    planned: list[tuple[Path, Path, AddedFile]] = []
    for source, name in _named_files(sources):
        target = knowledge / name
        if not target.exists():
            planned.append((source, target, AddedFile(name, "added")))
        elif target.is_file() and filecmp.cmp(source, target, shallow=False):
            planned.append((source, target, AddedFile(name, "unchanged")))
        elif replace and target.is_file():
            planned.append((source, target, AddedFile(name, "replaced")))
        else:
            raise KnowledgeFileExistsError(name=name)
    for source, target, entry in planned:
        if entry.state in {"added", "replaced"}:
            with source.open("rb") as reading, replacing(target) as writing:
                shutil.copyfileobj(reading, writing, 1 << 20)
    return tuple(entry for _, _, entry in planned)


def _named_files(sources: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    for source in sources:
        if source.is_dir():
            names = [
                (path, f"{source.resolve().name}/{path.relative_to(source).as_posix()}")
                for path in document_paths(source)
            ]
            if not names:
                raise NothingToAddError(path=source, reason="the folder holds no file")
            yield from names
        elif source.is_file():
            yield source, source.name
        else:
            raise NothingToAddError(path=source, reason="it is neither a file nor a folder")
