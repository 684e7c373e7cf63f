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
from satchel.runtime.project.documents import find_documents, is_within, within
from satchel.runtime.project.errors import KnowledgeFileExistsError, LeadsOutsideError, NothingToAddError
from satchel.runtime.project.folder import (
    KNOWLEDGE_FOLDER,
    Project,
    linked_path,
    load_project,
)
from satchel.runtime.project.naming import is_hidden, knowledge_name
from satchel.runtime.project.save import save_assistant

_HIDDEN = "hidden files are not read"
_OWN = "it is the assistant's own"


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
        LeadsOutsideError: the copy would land outside the project, behind a link.
    """
    project = load_project(folder)
    for source in sources:
        if not os.path.exists(source):  # noqa: PTH110 - unlike Path.exists, it says no to a name too long
            raise NothingToAddError(path=source, reason="it does not exist")
        if source.is_dir() and is_within(source, folder):
            raise NothingToAddError(path=source, reason="it is the assistant's own folder, or lies in it")
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
    knowledge = within(project.folder, KNOWLEDGE_FOLDER)
    entries: list[AddedFile] = []
    coming: dict[Path, Path] = {}
    folders: set[Path] = set()
    for source, name, problem in _named_files(sources, project.folder):
        if problem:
            entries.append(AddedFile(name, "skipped", problem))
            continue
        target = knowledge / name
        above = target.parents[: name.count("/")]
        if target in folders or any(folder in coming or folder.is_file() for folder in above):
            raise KnowledgeFileExistsError(name=name)
        if not is_within(target.parent, project.folder):
            raise LeadsOutsideError(path=target.parent, target=os.path.realpath(target.parent))
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


def _named_files(sources: Sequence[Path], project: Path) -> Iterator[tuple[Path, str, str]]:
    """Yield each file with its name under `knowledge/` and, where it is not taken, why not."""
    for source in sources:
        if source.is_dir():
            yield from _named_files_of(source, project)
        elif source.is_file():
            if (closed := _closed(source)) is not None:
                raise _unreadable(source, closed)
            yield source, knowledge_name(source.name), _HIDDEN if is_hidden(source.name) else ""
        else:
            raise NothingToAddError(path=source, reason="it is neither a file nor a folder")


def _named_files_of(source: Path, project: Path) -> Iterator[tuple[Path, str, str]]:
    top = source.resolve().name
    holds_project = is_within(project, source)
    try:
        found = list(find_documents(source))
    except OSError as error:
        raise _unreadable(source, error) from error
    if not found:
        raise NothingToAddError(path=source, reason="the folder holds no file")
    for entry in found:
        name = knowledge_name((top / entry.path.relative_to(source)).as_posix())
        problem = entry.problem or (_HIDDEN if is_hidden(top) else "")
        if holds_project and is_within(entry.path, project):
            problem = _OWN
        if not problem and (closed := _closed(entry.path)) is not None:
            problem = f"it cannot be opened: {(closed.strerror or str(closed)).lower()}"
        yield entry.path, name, problem


def _closed(path: Path) -> OSError | None:
    """Return why a file cannot be opened; found out before anything is copied."""
    try:
        with path.open("rb"):
            return None
    except OSError as error:
        return error


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
