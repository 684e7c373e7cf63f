"""Load a project folder and list its knowledge files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

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
        """List the knowledge files on the disk, by name: those copied in, then those of linked folders.

        Raises:
            LinkedFolderMissingError: a linked folder is gone.
        """
        own = self.folder / KNOWLEDGE_FOLDER
        files = [KnowledgeFile(_relative(path, own), path, linked=False) for path in document_paths(own)]
        for link in self.assistant.knowledge.links:
            folder = (self.folder / Path(link).expanduser()).absolute()
            if not folder.exists():
                raise LinkedFolderMissingError(path=folder)
            if folder.is_file():
                files.append(KnowledgeFile(folder.name, folder, linked=True))
                continue
            files += [
                KnowledgeFile(f"{folder.name}/{_relative(path, folder)}", path, linked=True)
                for path in document_paths(folder)
            ]
        return tuple(sorted(files, key=lambda file: file.name.encode()))


def load_project(folder: Path) -> Project:
    """Read and validate a project folder.

    Raises:
        NoProjectError: there is no `assistant.toml`.
        ProjectFormatError: names the file, line or key.
    """
    settings = folder / SETTINGS_FILE
    if not settings.is_file():
        raise NoProjectError(folder=folder)
    instructions = folder / INSTRUCTIONS_FILE
    return Project(
        folder=folder,
        assistant=parse_assistant(_read_text(settings), settings),
        instructions=_read_text(instructions) if instructions.exists() else "",
        examples=_read_examples(folder / EXAMPLES_FILE),
    )


def document_paths(folder: Path) -> Iterator[Path]:
    """Yield the files under a folder that may be documents: hidden ones and links that lead outside are left out."""
    root = folder.resolve()
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        for name in sorted(names):
            path = Path(parent) / name
            if _is_hidden(name) or not path.is_file():
                continue
            if path.is_symlink() and not path.resolve().is_relative_to(root):
                continue
            yield path


def _is_hidden(name: str) -> bool:
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
