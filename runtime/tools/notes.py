"""The notes that an assistant keeps about its user: one small file that the person can read, edit and delete.

Each note carries the label of all that was in the context when it was written, so that a web page that had itself
remembered is as untrusted in a month as it was then. What the person writes or corrects is the person's.
"""

from __future__ import annotations

import datetime as dt
import secrets
from pathlib import Path
from typing import Annotated

import msgspec

from satchel.runtime.atomic import save_bytes
from satchel.runtime.permissions.labels import Label, StoredLabel, restored, stored
from satchel.runtime.tools.errors import ToolError

MOST_NOTES = 500
MOST_CHARACTERS = 1000

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=MOST_CHARACTERS)]


class NotesError(ToolError):
    """The notes in {path} cannot be used: {reason}."""

    remedy = "Correct the file or move it away; a new one is begun."


class Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One note."""

    id: str
    text: Text
    written: str
    """Date and time, ISO 8601, UTC."""
    label: StoredLabel

    @property
    def labelled(self) -> Label:
        """Its label; one that cannot be read is the lowest."""
        return restored(msgspec.to_builtins(self.label))


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    notes: list[Note]


class Notes:
    """The notes of one assistant in one file, read anew each time: the person may edit it meanwhile."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def all(self) -> tuple[Note, ...]:
        """Return the notes in the order in which they were written.

        Raises:
            NotesError: the file is damaged.
        """
        try:
            return tuple(msgspec.json.decode(self.path.read_bytes(), type=_File).notes)
        except FileNotFoundError:
            return ()
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise NotesError(path=self.path, reason=str(error)) from error

    def add(self, text: str, label: Label) -> Note:
        """Keep a note.

        Raises:
            NotesError: there are too many.
            SaveError: the disk is full.
        """
        notes = self.all()
        if len(notes) >= MOST_NOTES:
            raise NotesError(path=self.path, reason=f"there are {MOST_NOTES} already; some must be deleted first")
        now = dt.datetime.now(tz=dt.UTC).isoformat(timespec="seconds")
        note = Note(secrets.token_hex(4), text, now, _stored(label))
        self._save((*notes, note))
        return note

    def edit(self, note_id: str, text: str, label: Label) -> None:
        """Put other words in place of a note's; `label` is the person's where the person did it.

        Raises:
            NotesError: there is no such note.
        """
        notes = self.all()
        self._find(notes, note_id)
        changed = (
            msgspec.structs.replace(one, text=text, label=_stored(label)) if one.id == note_id else one for one in notes
        )
        self._save(tuple(changed))

    def delete(self, note_id: str) -> None:
        """Forget a note.

        Raises:
            NotesError: there is no such note.
        """
        notes = self.all()
        self._find(notes, note_id)
        self._save(tuple(one for one in notes if one.id != note_id))

    def clear(self) -> None:
        """Forget everything."""
        self.path.unlink(missing_ok=True)

    def _find(self, notes: tuple[Note, ...], note_id: str) -> None:
        if all(one.id != note_id for one in notes):
            raise NotesError(path=self.path, reason=f"there is no note {note_id}")

    def _save(self, notes: tuple[Note, ...]) -> None:
        # Indented, because a person may open it in an editor.
        save_bytes(self.path, msgspec.json.format(msgspec.json.encode(_File(1, list(notes))), indent=2) + b"\n")


def _stored(label: Label) -> StoredLabel:
    return msgspec.convert(stored(label), StoredLabel)
