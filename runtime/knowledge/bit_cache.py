"""1-bit rows of large packs, derived from their two planes at the first run and mapped at every later one.

A file a pack id holds a header, bits, factors and centre (`kernels/arrays.py`), each on a border of 64 bytes; beside it
lies a note of the state in which the file was written. A file in another state (cut short, changed, copied here, of
another format) is derived anew, which takes a second for a million rows: nothing is read to find that out, so opening
costs the same whatever the size. What a failing disk changes unseen can cost recall, never a wrong score: candidates
are scored again from the pack's planes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import mmap
import os
import struct
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from satchel.kernels import ops
from satchel.kernels.arrays import BitRows, QuantisedRows, bit_shape
from satchel.runtime.atomic import replacing, save_bytes
from satchel.runtime.errors import SaveError
from satchel.runtime.packfile.reading import FileStamp, stamp_of

FEWEST_ROWS = 100_000
"""Below, a scan of the high plane takes less than a millisecond, and finds more."""
VERSION = 1
"""Raised when the kernels derive other bits, or the file is laid out in another way."""
DEFAULT_CAPACITY = 1 << 30
"""Bytes; twenty packs of a million passages in 384 dimensions."""

_HEADER = struct.Struct("<8sIII32s12x")
_MAGIC = b"SKBITROW"
_BORDER = 64


class BitCache:
    """A folder of derived rows; losing it costs their derivation, and where it cannot be written nothing is kept."""

    def __init__(self, folder: Path, *, capacity: int = DEFAULT_CAPACITY) -> None:
        """`capacity` in bytes; when the files take more, the ones opened longest ago go."""
        self._folder = folder
        self._capacity = capacity

    def with_bits(self, rows: QuantisedRows, pack_id: str, *, fewest: int = FEWEST_ROWS) -> QuantisedRows:
        """Return the rows with their bits, where they are so many that bits are scanned first.

        Maps a file, so only a worker process may call it; the planes are read at a pack's first run alone.
        """
        if rows.shape[0] < fewest:
            return rows
        bits = self._mapped(rows.shape, pack_id)
        if bits is None:
            derived = ops.derive_bits(rows.high, rows.low, rows.scale)
            with contextlib.suppress(SaveError, OSError):
                self._save(derived, pack_id)
            # Mapped, so that the system may drop and share its pages; what could not be saved stays in memory.
            bits = self._mapped(rows.shape, pack_id) or derived
        return dataclasses.replace(rows, bits=bits)

    def bytes_used(self) -> int:
        """Return how much the files take."""
        return sum(size for _, size, _ in self._files())

    def forget(self, pack_id: str) -> None:
        """Drop what is kept of a pack."""
        for path in (self._note(pack_id), self._path(pack_id)):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def _mapped(self, shape: tuple[int, int], pack_id: str) -> BitRows | None:
        try:
            with self._path(pack_id).open("rb") as file:
                stamp = stamp_of(os.fstat(file.fileno()))
                if msgspec.json.decode(self._note(pack_id).read_bytes(), type=FileStamp) != stamp:
                    return None
                places, size = _layout(shape)
                if file.read(_HEADER.size) != _header(shape, pack_id) or stamp.size != size:
                    return None
                content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            os.utime(self._note(pack_id))  # opened last
        except (OSError, msgspec.DecodeError):
            return None
        bits, factors, centre = (
            np.frombuffer(content[start : start + int(np.prod(of)) * dtype.itemsize], dtype).reshape(of)
            for start, of, dtype in places
        )
        return BitRows(bits=bits, factors=factors, centre=centre)

    def _save(self, rows: BitRows, pack_id: str) -> None:
        self._note(pack_id).unlink(missing_ok=True)
        places, _ = _layout(rows.shape)
        arrays: tuple[NDArray[Any], ...] = (rows.bits, rows.factors, rows.centre)
        with replacing(self._path(pack_id), private=True) as file:
            file.write(_header(rows.shape, pack_id))
            for (start, _, _), array in zip(places, arrays, strict=True):
                file.write(bytes(start - file.tell()))
                file.write(array.data.cast("B"))
        # After the rename, which changes the state.
        stamp = stamp_of(self._path(pack_id).stat())
        save_bytes(self._note(pack_id), msgspec.json.encode(stamp), private=True)
        self._make_room(pack_id)

    def _make_room(self, newest: str) -> None:
        files = sorted(self._files())
        used = sum(size for _, size, _ in files)
        for _, size, pack_id in files:
            if used <= self._capacity:
                return
            if pack_id != newest:
                self.forget(pack_id)
                used -= size

    def _files(self) -> list[tuple[int, int, str]]:
        """Return when each was opened last, its size and its pack id."""
        found = []
        for path in self._folder.glob("*.bits"):
            with contextlib.suppress(OSError):
                note = self._note(path.stem)
                opened = note.stat().st_mtime_ns if note.exists() else 0
                found.append((opened, path.stat().st_size, path.stem))
        return found

    def _path(self, pack_id: str) -> Path:
        return self._folder / f"{pack_id}.bits"

    def _note(self, pack_id: str) -> Path:
        return self._folder / f"{pack_id}.json"


def _layout(shape: tuple[int, int]) -> tuple[tuple[tuple[int, tuple[int, ...], np.dtype[Any]], ...], int]:
    """Return where bits, factors and centre begin, their shapes and types, and the size of all."""
    rows, dimensions = shape
    arrays = (
        (bit_shape(rows, dimensions), np.dtype("<u8")),
        ((rows,), np.dtype("<f4")),
        ((dimensions,), np.dtype("<f4")),
    )
    places, at = [], _HEADER.size
    for of, dtype in arrays:
        at = -(-at // _BORDER) * _BORDER
        places.append((at, of, dtype))
        at += int(np.prod(of)) * dtype.itemsize
    return tuple(places), at


def _header(shape: tuple[int, int], pack_id: str) -> bytes:
    return _HEADER.pack(_MAGIC, VERSION, *shape, bytes.fromhex(pack_id))
