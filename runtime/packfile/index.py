"""The store's small index: which packs are installed, in the order in which they became current."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from satchel.runtime.atomic import save_bytes
from satchel.runtime.packfile import canonical
from satchel.runtime.packfile.canonical import SchemaError
from satchel.runtime.packfile.errors import PackError, UnreadablePackError
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.packfile.schema_v1 import Identity, Sha256, Size

INDEX_NAME = "index.json"
_PACK_NAME = re.compile(r"([0-9a-f]{64})\.pack")


class IndexRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One installed pack."""

    pack_id: Sha256
    identity: Identity
    size: Size
    """Bytes of the file."""


def load_rows(folder: Path) -> tuple[IndexRow, ...]:
    """Return the installed packs, the last of an assistant's versions being its current one.

    The files are the truth: a row without its file is left out, a file without a row is opened and added in the order
    of the files' times. So an index that is lost or damaged is rebuilt, up to which version was current.

    Raises:
        UnreadablePackError: the folder cannot be listed.
    """
    files = {found[1]: path for path in _listed(folder) if (found := _PACK_NAME.fullmatch(path.name))}
    rows = tuple(row for row in _read(folder / INDEX_NAME) if row.pack_id in files)
    missing = files.keys() - {row.pack_id for row in rows}
    ordered = sorted(missing, key=lambda pack_id: (_time(files[pack_id]), pack_id))
    found_rows = (_row_of(files[pack_id], pack_id) for pack_id in ordered)
    return (*rows, *(row for row in found_rows if row is not None))


def save_rows(folder: Path, rows: tuple[IndexRow, ...]) -> None:
    """Replace the index.

    Raises:
        SaveError: the disk is full or not writable.
    """
    save_bytes(folder / INDEX_NAME, canonical.encode(rows))


def _listed(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if not path.is_symlink()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UnreadablePackError(path=folder, reason=(error.strerror or str(error)).lower()) from error


def _time(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:  # removed by another process since it was listed
        return 0


def _read(path: Path) -> tuple[IndexRow, ...]:
    try:
        return canonical.decode(path.read_bytes(), tuple[IndexRow, ...], INDEX_NAME)
    except (OSError, SchemaError):
        return ()


def _row_of(path: Path, pack_id: str) -> IndexRow | None:
    """Return a file's row; None if it is not the pack that its name says, and so was not put there by the store."""
    try:
        with open_pack(path, verify=False) as pack:
            row = IndexRow(pack_id=pack.pack_id, identity=pack.manifest.identity, size=pack.stamp.size)
    except PackError:
        return None
    return row if row.pack_id == pack_id else None
