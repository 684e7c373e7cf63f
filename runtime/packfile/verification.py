"""Comparing every byte of a pack with its manifest, and copying it while doing so."""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING, BinaryIO

from satchel.runtime.packfile.errors import DamagedPackError
from satchel.runtime.progress import SILENT, Progress

if TYPE_CHECKING:
    from satchel.runtime.packfile.pack import Pack

_CHUNK_BYTES = 1 << 20
_STAGE = "verifying the pack"


def verify_content(pack: Pack, *, copy_to: BinaryIO | None = None, progress: Progress = SILENT) -> None:
    """Compare CRC-32 and SHA-256 of every entry in the table; all other bytes of the file were compared at open.

    With `copy_to`, the whole file is written there, the entries of the table as the very bytes that were compared; the
    rest of the copy is compared by opening it.

    Raises:
        DamagedPackError: names the entry.
        PackChangedError, UnreadablePackError: the file got shorter, or the disk fails.
    """
    reader, layout = pack.reader, pack.layout
    entries = {entry.name: entry for entry in pack.manifest.entries}
    done = 0
    progress(_STAGE, done, reader.size)
    for placement in layout.placements:
        if copy_to is not None:
            copy_to.write(placement.header)
        crc, sha256 = 0, hashlib.sha256()
        for start in range(0, placement.size, _CHUNK_BYTES):
            chunk = reader.read_at(placement.content_offset + start, min(_CHUNK_BYTES, placement.size - start))
            crc = zlib.crc32(chunk, crc)
            sha256.update(chunk)
            if copy_to is not None:
                copy_to.write(chunk)
            done += len(chunk)
            progress(_STAGE, done, reader.size)
        if (entry := entries.get(placement.name)) is None:
            continue
        if f"{crc:08x}" != entry.crc32 or sha256.hexdigest() != entry.sha256:
            raise DamagedPackError(path=pack.path, reason=f"{placement.name} does not match its checksum")
    if copy_to is not None:
        copy_to.write(layout.tail)
    progress(_STAGE, reader.size, reader.size)
