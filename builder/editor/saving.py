"""Drafts on the disk: the project's own files, and a journal of what is not in them yet.

The journal is written at every change, in the time of a keystroke; the project half a second after the last one. A
window that is killed loses nothing: what its journal holds is taken up when the assistant is opened again.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from satchel.builder.editor.draft import Draft, merged
from satchel.runtime.atomic import save_bytes, save_text
from satchel.runtime.errors import SatchelError
from satchel.runtime.evals.cases import Case, encode_cases, read_cases
from satchel.runtime.paths import Home
from satchel.runtime.project.documents import within
from satchel.runtime.project.folder import AVATAR_FILE, CASES_FILE, INSTRUCTIONS_FILE, load_project
from satchel.runtime.project.save import save_assistant
from satchel.runtime.project.schema import Assistant, split_place


@dataclass(frozen=True, slots=True)
class Opened:
    """An assistant as it is opened for editing."""

    draft: Draft
    disk: Draft
    """What the project's files say."""
    recovered: bool
    """The draft is from a journal: the window ended before it was saved."""
    cases_problem: str = ""
    """Why the cases cannot be read; they stay as they are then."""


class _Journal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    base: dict[str, Any]
    base_instructions: str
    assistant: dict[str, Any]
    """As it was in the form: it may hold what cannot be saved, such as no name."""
    instructions: str
    cases: tuple[Case, ...] | None
    """None here and below: as on the disk."""
    avatar: bytes | None


def editing_folder(folder: Path, home: Home) -> Path:
    """Return where the editor keeps what is no part of a project: its journal, the preview's chats, removed files."""
    return home.data / "editing" / hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:24]


def open_draft(folder: Path, home: Home) -> Opened:
    """Read a project, and take up what was not saved.

    Raises:
        SatchelError: it cannot be read; names the file and the key.
    """
    shutil.rmtree(editing_folder(folder, home) / "preview", ignore_errors=True)
    shutil.rmtree(editing_folder(folder, home) / "removed", ignore_errors=True)
    disk, problem = read_disk(folder)
    journal = _read_journal(folder, home)
    if journal is None:
        return Opened(disk, disk, recovered=False, cases_problem=problem)
    usual = msgspec.to_builtins(disk.assistant)
    base = Draft(_as_far_as_sound(journal.base, usual), journal.base_instructions, disk.cases, disk.avatar)
    mine = Draft(
        _as_far_as_sound(journal.assistant, usual),
        journal.instructions,
        disk.cases if journal.cases is None else journal.cases,
        disk.avatar if journal.avatar is None else journal.avatar,
    )
    draft = merged(base, mine, disk)
    return Opened(draft, disk, recovered=draft != disk, cases_problem=problem)


def read_disk(folder: Path) -> tuple[Draft, str]:
    """Return what a project's files say, and why its cases cannot be read (empty: they can).

    Raises:
        SatchelError: it cannot be read; names the file and the key.
    """
    project = load_project(folder)
    cases: tuple[Case, ...] = ()
    problem = ""
    if (path := project.optional_file(CASES_FILE)) is not None:
        try:
            cases = read_cases(path.read_bytes(), path)
        except SatchelError as error:
            problem = error.message
    avatar = project.optional_file(AVATAR_FILE)
    instructions = project.instructions.replace("\r\n", "\n")
    return Draft(project.assistant, instructions, cases, avatar.read_bytes() if avatar is not None else b""), problem


def save_draft(folder: Path, base: Draft, draft: Draft) -> Draft:
    """Write what changed since `base`, and return what the project says now: others may have edited it meanwhile.

    Raises:
        ProjectFormatError: what is there cannot be read any more.
        SaveError: the disk is full or not writable.
    """
    disk, cases_problem = read_disk(folder)
    wanted = merged(base, draft, disk)
    if wanted.assistant != disk.assistant:
        save_assistant(folder, wanted.assistant)
    if wanted.instructions != disk.instructions:
        path = within(folder, INSTRUCTIONS_FILE)
        crlf = path.exists() and b"\r\n" in path.read_bytes()
        save_text(path, wanted.instructions.replace("\n", "\r\n") if crlf else wanted.instructions)
    if wanted.cases != disk.cases and not cases_problem:
        path = within(folder, CASES_FILE)
        path.parent.mkdir(exist_ok=True)
        # A case whose question is still being thought of is none yet.
        save_bytes(path, encode_cases(case for case in wanted.cases if case.question.strip()))
    if wanted.avatar != disk.avatar:
        path = within(folder, AVATAR_FILE)
        if wanted.avatar:
            save_bytes(path, wanted.avatar)
        else:
            path.unlink(missing_ok=True)
    return wanted


def write_journal(folder: Path, home: Home, base: Draft, draft: Draft) -> None:
    """Note a draft that is not saved yet; not synced, because it is the process that may die at any time.

    Raises:
        OSError: the disk is full or not writable.
    """
    place = editing_folder(folder, home)
    place.mkdir(parents=True, exist_ok=True)
    journal = _Journal(
        msgspec.to_builtins(base.assistant),
        base.instructions,
        msgspec.to_builtins(draft.assistant),
        draft.instructions,
        None if draft.cases == base.cases else draft.cases,
        None if draft.avatar == base.avatar else draft.avatar,
    )
    partial = place / "journal.partial"
    partial.write_bytes(msgspec.json.encode(journal))
    partial.replace(place / "journal.json")


def drop_journal(folder: Path, home: Home) -> None:
    """Forget the journal: the project has it all."""
    (editing_folder(folder, home) / "journal.json").unlink(missing_ok=True)


def _read_journal(folder: Path, home: Home) -> _Journal | None:
    try:
        return msgspec.json.decode((editing_folder(folder, home) / "journal.json").read_bytes(), type=_Journal)
    except (OSError, msgspec.DecodeError):
        return None


def _as_far_as_sound(table: dict[str, Any], usual: dict[str, Any]) -> Assistant:
    """Return the settings of a table; a key that cannot be has what is usual."""
    for _ in range(len(table)):
        try:
            return msgspec.convert(table, Assistant)
        except msgspec.ValidationError as error:
            key = re.split(r"[.\[]", split_place(str(error))[0])[0]
            table = {name: value for name, value in table.items() if name != key}
            table |= {key: usual[key]} if key in usual else {}
    return msgspec.convert(usual, Assistant)
