"""Load a project folder and list its knowledge files."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import msgspec

from satchel.runtime.packfile.names import UNSAFE_CHARACTERS, collision_key
from satchel.runtime.project.errors import (
    LinkedFolderMissingError,
    NoProjectError,
    ProjectFormatError,
)
from satchel.runtime.project.schema import Assistant, parse_assistant, split_place

SETTINGS_FILE = "assistant.toml"
INSTRUCTIONS_FILE = "instructions.md"
EXAMPLES_FILE = "examples.jsonl"
AVATAR_FILE = "avatar.png"
KNOWLEDGE_FOLDER = "knowledge"
ACTIONS_FOLDER = "actions"
MCP_FILE = "mcp.json"
CASES_FILE = "evals/cases.jsonl"
ORIGIN_PACK = ".satchel/origin.pack"
"""The pack that the folder was unpacked from: text and vectors of files whose sources it did not carry."""

_UNSAFE = re.compile(rf"[{UNSAFE_CHARACTERS}\\]")
_DRIVE = re.compile(r"\A([A-Za-z]):")


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question and its ideal answer, shown to the model before the conversation."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class KnowledgeFile:
    """A file on the disk that the assistant knows; `name` is what citations say, with `/` between folders."""

    name: str
    path: Path
    linked: bool


@dataclass(frozen=True, slots=True)
class Project:
    """An assistant's editable folder, as it was when it was loaded."""

    folder: Path
    assistant: Assistant
    instructions: str
    examples: tuple[Example, ...]

    @property
    def origin_pack(self) -> Path | None:
        """The pack that this folder was unpacked from, when one is kept."""
        path = self.folder / ORIGIN_PACK
        return path if path.is_file() else None

    def optional_file(self, name: str) -> Path | None:
        """Return the path of an optional part (`avatar.png`, `mcp.json`, …) when it is there."""
        path = self.folder / name
        return path if path.is_file() else None

    def action_files(self) -> tuple[Path, ...]:
        """Return the OpenAPI documents under `actions/`, by name."""
        return tuple(sorted((self.folder / ACTIONS_FOLDER).glob("*.openapi.json")))

    def knowledge_files(self) -> tuple[KnowledgeFile, ...]:
        """List the knowledge files on the disk by name, those copied in and those of linked folders.

        No two have the same name: where a linked file would take that of another, a number is put to it.

        Raises:
            LinkedFolderMissingError: a linked folder is gone.
        """
        own = self.folder / KNOWLEDGE_FOLDER
        files = [
            KnowledgeFile(knowledge_name(_relative(path, own)), path, linked=False) for path in document_paths(own)
        ]
        for link in self.assistant.knowledge.links:
            folder = linked_path(self.folder, link)
            if not os.path.exists(folder):  # noqa: PTH110 - unlike Path.exists, it says no to a name too long
                raise LinkedFolderMissingError(path=folder)
            name = folder.name if folder.name not in {"", ".."} else folder.resolve().name
            if folder.is_file():
                files.append(KnowledgeFile(knowledge_name(name), folder, linked=True))
                continue
            files += [
                KnowledgeFile(knowledge_name(f"{name}/{_relative(path, folder)}".lstrip("/")), path, linked=True)
                for path in document_paths(folder)
            ]
        return tuple(sorted(_with_names_of_their_own(files), key=lambda file: file.name.encode()))


def load_project(folder: Path) -> Project:
    """Read and validate a project folder.

    Raises:
        NoProjectError: there is no `assistant.toml`.
        ProjectFormatError: names the file, line or key.
    """
    settings = folder / SETTINGS_FILE
    if not os.path.isfile(settings):  # noqa: PTH113 - unlike Path.is_file, it says no to a name too long
        raise NoProjectError(folder=folder)
    instructions = folder / INSTRUCTIONS_FILE
    return Project(
        folder=folder,
        assistant=parse_assistant(_read_text(settings), settings),
        instructions=_read_text(instructions) if instructions.exists() else "",
        examples=_read_examples(folder / EXAMPLES_FILE),
    )


def linked_path(project: Path, link: str) -> Path:
    """Return where an entry of `knowledge.links` lies; `~` is a person's home, relative ones start at the project."""
    if link == "~" or link.startswith("~/"):
        return Path.home() / link[2:]
    return (project / link).absolute()


def knowledge_name(name: str) -> str:
    """Return a file's name on the disk as it can be shown, cited and sealed on every system.

    Composed Unicode; what is not UTF-8 becomes U+FFFD; control and direction-changing characters and backslashes
    become `_`, and so does the colon of what would be a drive.
    """
    text = unicodedata.normalize("NFC", os.fsencode(name).decode(errors="replace"))
    return _DRIVE.sub(r"\1_", _UNSAFE.sub("_", text))


def document_paths(folder: Path) -> Iterator[Path]:
    """Yield the files under a folder that may be documents: hidden ones and links that lead outside are left out."""
    root = folder.resolve()
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        for name in sorted(names):
            path = Path(parent) / name
            if is_hidden(name) or not path.is_file():
                continue
            if path.is_symlink() and not path.resolve().is_relative_to(root):
                continue
            yield path


def _with_names_of_their_own(files: Iterable[KnowledgeFile]) -> Iterator[KnowledgeFile]:
    taken: set[str] = set()
    for file in files:
        name, number = file.name, 1
        while collision_key(name) in taken:
            number += 1
            path = PurePosixPath(file.name)
            name = path.with_name(f"{path.stem} ({number}){path.suffix}").as_posix()
        taken.add(collision_key(name))
        yield replace(file, name=name)


def is_hidden(name: str) -> bool:
    """Tell whether a file or folder of this name is left out of what an assistant knows."""
    # "~$report.docx" is the lock file that Word leaves beside an open document.
    return name.startswith((".", "~$"))


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ProjectFormatError(path=path, where=f"byte {error.start}", reason="it is not UTF-8") from error
    except OSError as error:
        raise ProjectFormatError(path=path, where="reading", reason=(error.strerror or "failed").lower()) from error


def _read_examples(path: Path) -> tuple[Example, ...]:
    if not path.exists():
        return ()
    examples = []
    for number, line in enumerate(_read_text(path).split("\n"), 1):
        if line.strip():
            try:
                examples.append(msgspec.json.decode(line, type=Example))
            except msgspec.DecodeError as error:
                where, reason = split_place(str(error))
                raise ProjectFormatError(path=path, where=f"line {number}, {where}", reason=reason) from error
    return tuple(examples)
