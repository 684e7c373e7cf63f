"""Writes packs: streamed, in bounded memory, whole or not at all, and the same bytes for the same content."""

from __future__ import annotations

import hashlib
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from satchel.runtime.atomic import replacing
from satchel.runtime.packfile import canonical, names
from satchel.runtime.packfile.canonical import SchemaError
from satchel.runtime.packfile.content import ArrayContent, BytesContent, Content, ContentError, FileContent
from satchel.runtime.packfile.documents import decode_manifest
from satchel.runtime.packfile.errors import DamagedPackError, PackContentError, PackLimitError
from satchel.runtime.packfile.knowledge_check import check_knowledge
from satchel.runtime.packfile.layout import MIMETYPE_CONTENT, lay_out, planned_size
from satchel.runtime.packfile.limits import MANIFEST_BYTES, PACK_BYTES, TABLE_ENTRIES, size_in_words
from satchel.runtime.packfile.lock import locked
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.packfile.schema_v1 import Entry, Manifest
from satchel.runtime.progress import SILENT, Progress

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

_LARGEST_NAMED = 5
_STAGE = "writing the pack"


@dataclass(frozen=True, slots=True)
class WrittenPack:
    """What was written where."""

    path: Path
    pack_id: str
    """SHA-256 of the manifest."""
    size: int
    """Bytes of the file."""


def write_pack(
    destination: Path,
    manifest: Manifest,
    entries: Iterable[tuple[str, bytes | Path | NDArray[Any]]],
    *,
    progress: Progress = SILENT,
) -> WrittenPack:
    """Seal `entries` behind `manifest`, whose own `entries` are filled in here.

    An entry is bytes, a file, or a C-contiguous array: one of `arrays.ARRAY_TYPES` under an `.npy` name, a row of bytes
    under any other. The order given does not matter. The write is atomic, and before the new pack takes its place it is
    opened and its knowledge checked, so what was written can be installed. The lock of `destination` is taken here; a
    caller that holds it already waits for nobody and gets BusyError.

    Raises:
        PackContentError: a name, setting, size or array that format 1 does not allow; a file that cannot be read or
            changes while it is.
        PackLimitError: too large, with the sums.
        BusyError: another process is writing `destination`.
        SaveError: the disk is full or not writable.
    """
    contents = _sorted_contents(destination, entries)
    check_fits(destination, manifest, {name: content.size for name, content in contents.items()})
    with locked(destination):
        _sweep(destination)
        with replacing(destination) as file:
            pack_id = _write(file, destination, manifest, contents, progress)
            file.flush()
            size = file.seek(0, os.SEEK_END)
            _check_knowledge(Path(file.name), destination)
    return WrittenPack(destination, pack_id, size)


def check_fits(destination: Path, manifest: Manifest, sizes: Mapping[str, int]) -> None:
    """Refuse entries of these sizes before they are made, when the pack cannot hold them.

    Raises:
        PackLimitError: too many, or too large together; gives the sums.
    """
    if len(sizes) > TABLE_ENTRIES:
        sums = f"{len(sizes):,} entries, and a pack holds at most {TABLE_ENTRIES:,}"
        raise PackLimitError(path=destination, sums=sums)
    placeholders = tuple(Entry(name=name, size=size, crc32="0" * 8, sha256="0" * 64) for name, size in sizes.items())
    manifest_size = len(_encoded(destination, msgspec.structs.replace(manifest, entries=placeholders)))
    if manifest_size > MANIFEST_BYTES:
        sums = f"the manifest has {size_in_words(manifest_size)} of at most {size_in_words(MANIFEST_BYTES)}"
        raise PackLimitError(path=destination, sums=sums)
    total = planned_size(manifest_size, sizes.items())
    if total > PACK_BYTES:
        largest = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))
        parts = [f"{name} {size_in_words(size)}" for name, size in largest[:_LARGEST_NAMED]]
        if rest := largest[_LARGEST_NAMED:]:
            parts.append(f"{len(rest)} smaller entries {size_in_words(sum(size for _, size in rest))}")
        sums = f"{' + '.join(parts)} = {size_in_words(total)}, and a pack ends at {size_in_words(PACK_BYTES + 1)}"
        raise PackLimitError(path=destination, sums=sums)


def _sorted_contents(
    destination: Path, entries: Iterable[tuple[str, bytes | Path | NDArray[Any]]]
) -> dict[str, Content]:
    found: dict[str, Content] = {}
    for name, given in entries:
        if problem := names.entry_name_problem(name):
            raise PackContentError(path=destination, place=name, reason=problem)
        if name in found:
            raise PackContentError(path=destination, place=name, reason="it is there twice")
        try:
            found[name] = _content(name, given)
        except ContentError as error:
            raise PackContentError(path=destination, place=name, reason=str(error)) from error
    return {name: found[name] for name in sorted(found, key=str.encode)}


def _content(name: str, given: bytes | Path | NDArray[Any]) -> Content:
    if isinstance(given, Path):
        return FileContent(given)
    if isinstance(given, bytes):
        return BytesContent(given)
    return ArrayContent(name, given)


def _encoded(destination: Path, manifest: Manifest) -> bytes:
    try:
        return canonical.encode(manifest)
    except UnicodeEncodeError as error:
        raise PackContentError(path=destination, place=names.MANIFEST, reason="a text is no valid Unicode") from error


def _write(
    file: BinaryIO, destination: Path, manifest: Manifest, contents: Mapping[str, Content], progress: Progress
) -> str:
    """Write the contents at their places while hashing them, then all headers; return the pack id.

    One reading of each source: the layout needs sizes only, and the hashes have a fixed width in the manifest, so the
    places are known before the first byte is read.
    """
    entries = {
        name: Entry(name=name, size=content.size, crc32="0" * 8, sha256="0" * 64) for name, content in contents.items()
    }
    draft = _encoded(destination, msgspec.structs.replace(manifest, entries=tuple(entries.values())))
    _check(destination, draft)
    total = sum(content.size for content in contents.values())
    done = 0
    progress(_STAGE, 0, total)
    for placement in lay_out(draft, entries.values()).placements[2:]:
        file.seek(placement.content_offset)
        crc, sha256, written = 0, hashlib.sha256(), 0
        for chunk in _chunks(destination, placement.name, contents[placement.name]):
            written += len(chunk)
            crc = zlib.crc32(chunk, crc)
            sha256.update(chunk)
            file.write(chunk)
            done += len(chunk)
            progress(_STAGE, done, total)
        assert written == placement.size, placement.name
        entries[placement.name] = Entry(
            name=placement.name, size=placement.size, crc32=f"{crc:08x}", sha256=sha256.hexdigest()
        )
    final = _encoded(destination, msgspec.structs.replace(manifest, entries=tuple(entries.values())))
    layout = lay_out(final, entries.values())
    for placement in layout.placements:
        file.seek(placement.offset)
        file.write(placement.header)
    for placement, content in zip(layout.placements, (MIMETYPE_CONTENT, final), strict=False):
        file.seek(placement.content_offset)
        file.write(content)
    file.seek(layout.tail_offset)
    file.write(layout.tail)
    return hashlib.sha256(final).hexdigest()


def _check(destination: Path, manifest: bytes) -> None:
    """Refuse what the opener would refuse, in terms of the project."""
    try:
        decode_manifest(manifest)
    except SchemaError as error:
        raise PackContentError(path=destination, place=error.place, reason=error.reason) from error


def _chunks(destination: Path, name: str, content: Content) -> Iterator[bytes | memoryview]:
    try:
        yield from content.chunks()
    except ContentError as error:
        raise PackContentError(path=destination, place=name, reason=str(error)) from error


def _check_knowledge(partial: Path, destination: Path) -> None:
    """Refuse arrays that `install` would refuse."""
    try:
        with open_pack(partial, verify=False) as pack:
            check_knowledge(pack)
    except DamagedPackError as error:
        raise PackContentError(path=destination, place="knowledge", reason=error.fields["reason"]) from error


def _sweep(destination: Path) -> None:
    """Remove what a killed process left of an earlier write; we hold the lock, so nobody is writing it."""
    leftover = re.compile(rf"\.{re.escape(destination.name[:50])}\.[a-z0-9_]{{8}}\.partial")
    for path in destination.parent.iterdir():
        if leftover.fullmatch(path.name):
            path.unlink(missing_ok=True)
