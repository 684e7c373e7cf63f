"""The read-only store of installed packs: one file a pack id, verified before it is there."""

from __future__ import annotations

import contextlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from satchel.runtime.atomic import replacing
from satchel.runtime.errors import SaveError
from satchel.runtime.packfile.errors import (
    AmbiguousPackError,
    DamagedPackError,
    PackChangedError,
    PackError,
    PackNotInstalledError,
)
from satchel.runtime.packfile.index import INDEX_NAME, IndexRow, load_rows, save_rows
from satchel.runtime.packfile.knowledge_check import check_knowledge
from satchel.runtime.packfile.lock import locked
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.packfile.pack import Pack
from satchel.runtime.packfile.reading import stamp_at
from satchel.runtime.packfile.verification import verify_content
from satchel.runtime.packfile.verified import VerifiedFiles, VerifiedPack
from satchel.runtime.paths import Home
from satchel.runtime.progress import SILENT, Progress

SHORTEST_PREFIX = 6
"""Hex digits of a pack id that may stand for it."""

_READ_ONLY = 0o444
_WRITABLE = 0o644
_HEX = re.compile(r"[0-9a-f]+")
_NAME_BREAK = re.compile(r"[\s_-]+")


@dataclass(frozen=True, slots=True)
class InstalledPack:
    """A pack in the store."""

    pack_id: str
    path: Path
    identity_id: str
    """The assistant's own id, which its versions share."""
    name: str
    version: str
    author: str
    size: int
    """Bytes of the file."""
    current: bool
    """Whether the assistant's name stands for this version."""


class PackStore:
    """What is installed; every change is atomic, and two processes may install at once."""

    def __init__(self, home: Home) -> None:
        self._folder = home.packs
        self._verified = VerifiedFiles(home.cache / "verified")

    def install(self, path: Path, *, progress: Progress = SILENT) -> InstalledPack:
        """Verify every byte of a pack and keep a copy; it becomes its assistant's current version.

        Installing what is there already makes it current and changes no file.

        Raises:
            PackError: it is no sound pack.
            SaveError: the disk is full or not writable.
        """
        with open_pack(path, verify=False) as pack:
            destination = self._path(pack.pack_id)
            if self._has_sound(destination, pack):
                verify_content(pack, progress=progress)
            else:
                self._copy(pack, destination, progress)
            row = IndexRow(pack_id=pack.pack_id, identity=pack.manifest.identity, size=pack.stamp.size)
        with self._changing_index():
            save_rows(self._folder, (*_without(load_rows(self._folder), row.pack_id), row))
        return self._installed(row, current=True)

    def list(self) -> tuple[InstalledPack, ...]:
        """Return what is installed: by name, an assistant's current version first."""
        rows = load_rows(self._folder)
        current = _current_ids(rows)
        order = {row.pack_id: -number for number, row in enumerate(rows)}
        found = [self._installed(row, current=row.pack_id in current) for row in rows]
        return tuple(sorted(found, key=lambda pack: (pack.name.casefold(), pack.identity_id, order[pack.pack_id])))

    def find(self, reference: str) -> Path:
        """Return the file of an installed pack: by pack id, its first six or more digits, or an assistant's name.

        A name stands for the assistant's current version; case, spaces, `-` and `_` do not matter.

        Raises:
            PackNotInstalledError: none fits.
            AmbiguousPackError: several do.
        """
        return self._one(reference).path

    def remove(self, reference: str) -> InstalledPack:
        """Remove one installed pack, found as `find` does; the version before it becomes the current one.

        Raises:
            PackNotInstalledError: none fits.
            AmbiguousPackError: several do.
            SaveError: the folder is not writable.
        """
        with self._changing_index():
            pack = self._one(reference)
            self._verified.forget(stamp_at(pack.path))
            try:
                pack.path.chmod(_WRITABLE)  # Windows removes no read-only file
                pack.path.unlink()
            except OSError as error:
                raise SaveError(path=pack.path, reason=(error.strerror or str(error)).lower()) from error
            # Last, because a file without a row would be taken for one that was just put there.
            save_rows(self._folder, load_rows(self._folder))
        return pack

    def versions(self, identity_id: str) -> tuple[InstalledPack, ...]:
        """Return an assistant's installed versions: the current one, then those before it."""
        rows = [row for row in load_rows(self._folder) if row.identity.id == identity_id]
        return tuple(self._installed(row, current=number == 0) for number, row in enumerate(reversed(rows)))

    def make_current(self, pack_id: str) -> InstalledPack:
        """Let an assistant's name stand for this version from now on.

        Raises:
            PackNotInstalledError: it is not installed.
        """
        with self._changing_index():
            rows = load_rows(self._folder)
            row = next((row for row in rows if row.pack_id == pack_id), None)
            if row is None:
                raise PackNotInstalledError(reference=pack_id)
            save_rows(self._folder, (*_without(rows, pack_id), row))
        return self._installed(row, current=True)

    def verify_once(self, path: Path, *, progress: Progress = SILENT) -> VerifiedPack:
        """Verify any pack file, unless it is in the very state in which it was verified before.

        Raises:
            PackError: it is no sound pack, or was changed meanwhile.
        """
        return self._verified.verify_once(path, progress=progress)

    def verified_before(self, path: Path) -> VerifiedPack | None:
        """Return a pack that is in the very state in which it was verified before, else None; nothing is read.

        Raises:
            UnreadablePackError: it cannot be opened.
        """
        return self._verified.recall(path)

    def _copy(self, pack: Pack, destination: Path, progress: Progress) -> None:
        with replacing(destination) as file:
            verify_content(pack, copy_to=file, progress=progress)
            file.flush()
            # The copy is checked, not the original, which somebody may be changing.
            try:
                with open_pack(Path(file.name), verify=False) as copy:
                    if copy.pack_id != pack.pack_id:
                        raise PackChangedError(path=pack.path)
                    check_knowledge(copy, progress=progress)
            except DamagedPackError as error:
                raise DamagedPackError(path=pack.path, reason=error.fields["reason"]) from error
        with contextlib.suppress(OSError):  # it guards against accidents only, and not every file system has it
            destination.chmod(_READ_ONLY)
        # At once, though it was stamped a moment ago: nobody but the store writes here, and it replaces files whole.
        self._verified.remember(stamp_at(destination), pack.pack_id)

    def _has_sound(self, destination: Path, pack: Pack) -> bool:
        """Say whether the store holds this pack already; one that is damaged or lacks the signature is written anew."""
        if destination.is_symlink() or not destination.exists():
            return False
        try:
            with self._verified.verify_once(destination).open() as installed:
                return pack.signature is None or installed.signature == pack.signature
        except PackError:
            return False

    def _one(self, reference: str) -> InstalledPack:
        packs = self.list()
        wanted = _name_key(reference)
        found = {pack.pack_id: pack for pack in packs if pack.current and _name_key(pack.name) == wanted}
        prefix = reference.lower()
        if len(prefix) >= SHORTEST_PREFIX and _HEX.fullmatch(prefix):
            found |= {pack.pack_id: pack for pack in packs if pack.pack_id.startswith(prefix)}
        if not found:
            raise PackNotInstalledError(reference=reference)
        if len(found) > 1:
            raise AmbiguousPackError(reference=reference, candidates=_in_words(found.values()))
        return next(iter(found.values()))

    def _installed(self, row: IndexRow, *, current: bool) -> InstalledPack:
        identity = row.identity
        return InstalledPack(
            pack_id=row.pack_id,
            path=self._path(row.pack_id),
            identity_id=identity.id,
            name=identity.name,
            version=identity.version,
            author=identity.author,
            size=row.size,
            current=current,
        )

    def _path(self, pack_id: str) -> Path:
        return self._folder / f"{pack_id}.pack"

    def _changing_index(self) -> contextlib.AbstractContextManager[None]:
        return locked(self._folder / INDEX_NAME, wait=True)


def _without(rows: Iterable[IndexRow], pack_id: str) -> tuple[IndexRow, ...]:
    return tuple(row for row in rows if row.pack_id != pack_id)


def _current_ids(rows: Iterable[IndexRow]) -> frozenset[str]:
    return frozenset({row.identity.id: row.pack_id for row in rows}.values())


def _name_key(name: str) -> str:
    """Return what two spellings of a name share: "Tide tutor", "tide-tutor"."""
    return _NAME_BREAK.sub("-", unicodedata.normalize("NFKC", name.strip()).casefold())


def _in_words(packs: Iterable[InstalledPack]) -> str:
    return ", ".join(f"{pack.name} {pack.version} ({pack.pack_id[:12]})" for pack in packs)
