"""Where every byte of a pack lies: headers are computed from the table alone, by the writer and by the opener.

ZIP records as in PKWARE's APPNOTE 6.3.10, sections 4.3.7 (local header), 4.3.12 (directory) and 4.3.16 (end record).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from satchel.runtime.packfile.names import MANIFEST, MIMETYPE, SIGNATURE
from satchel.runtime.packfile.schema_v1 import Entry

MIMETYPE_CONTENT = b"application/vnd.satchel.pack+zip"

ALIGNMENT = 64
"""An array's data starts on such a border: a cache line, and the widest vector register."""

_PADDING_ID = 0x7473
"""Of the extra field that aligns (the bytes "st"); not among the registered ids of APPNOTE 4.5.2 and 4.6.1."""

LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_DIRECTORY_HEADER = struct.Struct("<4s6H3I5H2I")
_END_RECORD = struct.Struct("<4s4H2IH")
_EXTRA_HEADER = struct.Struct("<2H")

_VERSION_NEEDED = 10
_MADE_BY = 3 << 8 | 20  # Unix, so that the mode below counts
_FLAG_UTF8 = 1 << 11
_STORED = 0
_TIME, _DATE = 0, 1 << 5 | 1  # midnight of 1980-01-01, the earliest that the field can say
_MODE = 0o100644 << 16


@dataclass(frozen=True, slots=True)
class Placement:
    """One entry's place in the file."""

    name: str
    header: bytes
    offset: int
    """Of the header."""
    size: int
    """Of the content."""

    @property
    def content_offset(self) -> int:
        """Where the content begins."""
        return self.offset + len(self.header)

    @property
    def end(self) -> int:
        """Where the content ends and the next header begins."""
        return self.offset + len(self.header) + self.size


@dataclass(frozen=True, slots=True)
class Layout:
    """All entries in the order of the file, then the directory and end record as one run of bytes."""

    placements: tuple[Placement, ...]
    tail: bytes

    @property
    def tail_offset(self) -> int:
        """Where the directory begins."""
        return self.placements[-1].end

    @property
    def size(self) -> int:
        """Of the whole file."""
        return self.tail_offset + len(self.tail)


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    size: int
    crc: int


def lay_out(manifest: bytes, entries: Iterable[Entry], signature: bytes | None = None) -> Layout:
    """Return the one layout of a pack with this manifest and table, and this signature if it has one."""
    placements = []
    directory = []
    offset = 0
    for member in _members(manifest, entries, signature):
        name = member.name.encode()
        header = _local_header(member, name, offset)
        placements.append(Placement(member.name, header, offset, member.size))
        directory.append(_directory_header(member, name, offset))
        offset = placements[-1].end
    joined = b"".join(directory)
    count = len(placements)
    end = _END_RECORD.pack(b"PK\5\6", 0, 0, count, count, len(joined), offset, 0)
    return Layout(tuple(placements), joined + end)


def local_header(name: str, content: bytes, offset: int) -> bytes:
    """Return the local header of an entry with this content at `offset`."""
    return _local_header(_Member(name, len(content), zlib.crc32(content)), name.encode(), offset)


def planned_size(manifest_size: int, sizes: Iterable[tuple[str, int]]) -> int:
    """Return the size of an unsigned pack, however large, without laying it out."""
    total = _END_RECORD.size
    for name, size in ((MIMETYPE, len(MIMETYPE_CONTENT)), (MANIFEST, manifest_size), *sizes):
        total += LOCAL_HEADER.size + _DIRECTORY_HEADER.size + 2 * len(name.encode()) + size
        total += ALIGNMENT + _EXTRA_HEADER.size if name.endswith(".npy") else 0
    return total


def _members(manifest: bytes, entries: Iterable[Entry], signature: bytes | None) -> Iterator[_Member]:
    yield _Member(MIMETYPE, len(MIMETYPE_CONTENT), zlib.crc32(MIMETYPE_CONTENT))
    yield _Member(MANIFEST, len(manifest), zlib.crc32(manifest))
    for entry in entries:
        yield _Member(entry.name, entry.size, int(entry.crc32, 16))
    if signature is not None:
        yield _Member(SIGNATURE, len(signature), zlib.crc32(signature))


def _local_header(member: _Member, name: bytes, offset: int) -> bytes:
    extra = _padding(offset + LOCAL_HEADER.size + len(name)) if member.name.endswith(".npy") else b""
    fixed = LOCAL_HEADER.pack(b"PK\3\4", *_shared_fields(member, name), len(extra))
    return fixed + name + extra


def _directory_header(member: _Member, name: bytes, offset: int) -> bytes:
    fields = _shared_fields(member, name)
    return _DIRECTORY_HEADER.pack(b"PK\1\2", _MADE_BY, *fields, 0, 0, 0, 0, _MODE, offset) + name


def _shared_fields(member: _Member, name: bytes) -> tuple[int, ...]:
    """Return the fields that both headers have, in their common order."""
    flags = 0 if member.name.isascii() else _FLAG_UTF8
    return (_VERSION_NEEDED, flags, _STORED, _TIME, _DATE, member.crc, member.size, member.size, len(name))


def _padding(offset: int) -> bytes:
    """Return the extra record after which `offset` is on a border; none when it is already."""
    length = -offset % ALIGNMENT
    if length == 0:
        return b""
    if length < _EXTRA_HEADER.size:
        length += ALIGNMENT
    return _EXTRA_HEADER.pack(_PADDING_ID, length - _EXTRA_HEADER.size) + bytes(length - _EXTRA_HEADER.size)
