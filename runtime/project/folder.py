"""Load a project folder and list its knowledge files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from satchel.runtime.project.documents import FoundFile, find_documents, is_within, within
from satchel.runtime.project.errors import (
    LineFormatError,
    LinkedFolderMissingError,
    NoProjectError,
    ProjectFormatError,
)
from satchel.runtime.project.naming import NamesTaken, knowledge_name
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

_EXAMPLE_SHAPE = '{"question": "When does the gate close?", "answer": "At a water level of 3.2 metres."}'


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
    problem: str = ""
    """Why it is not read; most reasons show only when it is."""


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
        return self.optional_file(ORIGIN_PACK)

    def optional_file(self, name: str) -> Path | None:
        """Return the path of an optional part (`avatar.png`, `mcp.json`, …) when it is there.

        Raises:
            LeadsOutsideError: it is a link out of the project.
        """
        path = within(self.folder, name)
        return path if path.is_file() else None

    def action_files(self) -> tuple[Path, ...]:
        """Return the OpenAPI documents under `actions/`, by name.

        Raises:
            LeadsOutsideError: one is a link out of the project.
        """
        found = sorted(within(self.folder, ACTIONS_FOLDER).glob("*.openapi.json"))
        return tuple(within(self.folder, f"{ACTIONS_FOLDER}/{path.name}") for path in found)

    def knowledge_files(self) -> tuple[KnowledgeFile, ...]:
        """List the knowledge files on the disk by name, those copied in and those of linked folders.

        No two have the same name: where a linked file would take that of another, a number is put to it. What is
        there and not read has its reason.

        Raises:
            LeadsOutsideError: `knowledge/` is a link out of the project.
            LinkedFolderMissingError: a linked folder is gone.
            ProjectFormatError: a folder cannot be read.
        """
        own = within(self.folder, KNOWLEDGE_FOLDER)
        taken = NamesTaken()
        files = [
            KnowledgeFile(taken.take(name), found.path, linked, found.problem)
            for name, found, linked in (
                *((name, found, False) for name, found in _named_documents(own, "")),
                *((name, found, True) for link in self.assistant.knowledge.links for name, found in self._linked(link)),
            )
        ]
        return tuple(sorted(files, key=lambda file: file.name.encode()))

    def _linked(self, link: str) -> Iterator[tuple[str, FoundFile]]:
        place = linked_path(self.folder, link)
        if not os.path.exists(place):  # noqa: PTH110 - unlike Path.exists, it says no to a name too long
            raise LinkedFolderMissingError(path=place)
        name = place.name if place.name not in {"", ".."} else place.resolve().name
        # Visible, because a pack's files are unpacked under their names, and hidden ones are not read.
        name = name.lstrip(".") or "linked"
        if place.is_file():
            yield knowledge_name(name), FoundFile(place)
        else:
            holds_project = is_within(self.folder, place)
            for shown, found in _named_documents(place, name):
                # The settings, and the knowledge a second time, are no knowledge.
                if not (holds_project and is_within(found.path, self.folder)):
                    yield shown, found


def load_project(folder: Path) -> Project:
    """Read and validate a project folder.

    Raises:
        NoProjectError: there is no `assistant.toml`.
        ProjectFormatError: names the file, line or key.
        LeadsOutsideError: a part of it is a link out of the folder.
    """
    settings = folder / SETTINGS_FILE
    if not os.path.isfile(settings):  # noqa: PTH113 - unlike Path.is_file, it says no to a name too long
        raise NoProjectError(folder=folder)
    instructions = within(folder, INSTRUCTIONS_FILE)
    return Project(
        folder=folder,
        assistant=parse_assistant(_read_text(within(folder, SETTINGS_FILE)), settings),
        instructions=_read_text(instructions) if instructions.exists() else "",
        examples=_read_examples(within(folder, EXAMPLES_FILE)),
    )


def linked_path(project: Path, link: str) -> Path:
    """Return where an entry of `knowledge.links` lies; `~` is a person's home, relative ones start at the project."""
    if link == "~" or link.startswith("~/"):
        return Path.home() / link[2:]
    return (project / link).absolute()


def _named_documents(folder: Path, top: str) -> Iterator[tuple[str, FoundFile]]:
    try:
        for found in find_documents(folder):
            yield knowledge_name((top / found.path.relative_to(folder)).as_posix()), found
    except OSError as error:
        raise ProjectFormatError(path=folder, where="reading", reason=(error.strerror or "failed").lower()) from error


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
                raise LineFormatError(
                    path=path, where=f"line {number}, {where}", reason=reason, shape=_EXAMPLE_SHAPE
                ) from error
    return tuple(examples)
