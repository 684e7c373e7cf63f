"""Large files that are made from others and kept: written once, and noticed when they are no longer what they were.

Beside each lies a note with its size, time of change and SHA-256. While size and time are those of the note, the file
is taken as it is: hashing 45 MB would take a question a tenth of a second. When they are not (cut short, overwritten,
copied from elsewhere) it is hashed, and written anew where its bytes are others.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from satchel.runtime.atomic import save_bytes
from satchel.runtime.errors import SaveError

_CHUNK = 1 << 20


class _Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    size: int
    changed_ns: int
    sha256: str


def kept_file(path: Path, write: Callable[[Path], None]) -> Path:
    """Return `path`, written by `write` if it is not there or not as it was written.

    Several processes may do this at once, if `write` replaces the file as a whole and always gives the same bytes.
    """
    if not is_as_written(path, unknown=False):
        write(path)
        note_file(path)
    return path


def is_as_written(path: Path, *, unknown: bool) -> bool:
    """Tell whether a file is there with the bytes of its note; `unknown` is the answer for one without a note."""
    try:
        stat = path.stat()
    except OSError:
        return False
    if (note := _read_note(path)) is None:
        return unknown
    if stat.st_size != note.size:
        return False
    if stat.st_mtime_ns == note.changed_ns:
        return True
    if sha256_of(path) != note.sha256:
        return False
    _write_note(path, msgspec.structs.replace(note, changed_ns=stat.st_mtime_ns))
    return True


def note_file(path: Path) -> None:
    """Remember a file as it is now."""
    stat = path.stat()
    _write_note(path, _Note(stat.st_size, stat.st_mtime_ns, sha256_of(path)))


def doubt_file(path: Path) -> None:
    """Have a file hashed when it is next asked for, because something that its time does not tell is wrong with it."""
    if (note := _read_note(path)) is not None:
        _write_note(path, msgspec.structs.replace(note, changed_ns=-1))


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _note_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.note")


def _read_note(path: Path) -> _Note | None:
    try:
        return msgspec.json.decode(_note_of(path).read_bytes(), type=_Note)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _write_note(path: Path, note: _Note) -> None:
    # Without one the file is written again, or read as it is; nothing is lost.
    with contextlib.suppress(SaveError):
        save_bytes(_note_of(path), msgspec.json.encode(note))
