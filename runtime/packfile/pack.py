"""An open pack: its manifest, and its entries as bytes, as a stream, or mapped in place."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from satchel.runtime.packfile.arrays import ARRAY_TYPES, HEADER_BYTES, ArrayHeaderError, parse_shape
from satchel.runtime.packfile.errors import DamagedPackError, PackChangedError
from satchel.runtime.packfile.layout import Layout
from satchel.runtime.packfile.limits import READ_BYTES, size_in_words
from satchel.runtime.packfile.reading import FileStamp, PackReader
from satchel.runtime.packfile.schema_v1 import Manifest, Signature

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CHUNK_BYTES = 1 << 20


class Pack:
    """Made by `open_pack`; reading may happen from any thread.

    Map (`array`, `view`) only in a worker process: a mapped file that is cut short kills its reader with SIGBUS.
    Maps stay valid after `close`.
    """

    def __init__(
        self, reader: PackReader, manifest: Manifest, layout: Layout, pack_id: str, signature: Signature | None
    ) -> None:
        self.reader = reader
        self.manifest = manifest
        self.layout = layout
        self.pack_id = pack_id
        """SHA-256 of the manifest's bytes."""
        self.signature = signature
        self._entries = {entry.name: entry for entry in manifest.entries}
        self._placements = {placement.name: placement for placement in layout.placements}
        self._map: mmap.mmap | None = None

    @property
    def path(self) -> Path:
        """The file that was opened."""
        return self.reader.path

    @property
    def stamp(self) -> FileStamp:
        """The state of the file when it was opened."""
        return self.reader.stamp

    @property
    def names(self) -> tuple[str, ...]:
        """The entries in the manifest's table, in the file's order."""
        return tuple(self._entries)

    @property
    def signature_state(self) -> Literal["unsigned", "unchecked"]:
        """Whether the pack carries a signature; whether it is a good one is not said here."""
        return "unsigned" if self.signature is None else "unchecked"

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def location(self, name: str) -> tuple[int, int]:
        """Return where the content of an entry begins in the file, and its size.

        Raises:
            DamagedPackError: the pack has no such entry.
        """
        if name not in self._entries:
            raise DamagedPackError(path=self.path, reason=f"it has no {name}")
        placement = self._placements[name]
        return placement.content_offset, placement.size

    def read(self, name: str) -> bytes:
        """Return the content of an entry of up to 64 MiB, compared with its SHA-256.

        Raises:
            DamagedPackError: the pack has no such entry, it is larger, or its content is not what the manifest says.
        """
        size = self.location(name)[1]
        if size > READ_BYTES:
            reason = f"{name} has {size_in_words(size)}, too much to be read at once"
            raise DamagedPackError(path=self.path, reason=reason)
        return b"".join(self.chunks(name))

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield the content of an entry in pieces of 1 MiB.

        Raises:
            DamagedPackError: the pack has no such entry; or, after the last piece, the content is not what the manifest
                says.
        """
        offset, size = self.location(name)
        sha256 = hashlib.sha256()
        for start in range(0, size, _CHUNK_BYTES):
            chunk = self.reader.read_at(offset + start, min(_CHUNK_BYTES, size - start))
            sha256.update(chunk)
            yield chunk
        if sha256.hexdigest() != self._entries[name].sha256:
            raise DamagedPackError(path=self.path, reason=f"{name} does not match its checksum")

    def read_range(self, name: str, start: int, size: int) -> bytes:
        """Return `size` bytes of an entry from `start` on, as they lie there; unlike `read`, nothing is compared.

        Raises:
            ValueError: the range is not within the entry.
        """
        offset, length = self.location(name)
        if not 0 <= start <= start + size <= length:
            message = f"{start} + {size} is not within the {length} bytes of {name}"
            raise ValueError(message)
        return self.reader.read_at(offset + start, size)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an array entry; neither NumPy nor the array's data is touched.

        Raises:
            DamagedPackError: its header is not the canonical one, or of another type than format 1 says.
        """
        offset, size = self.location(name)
        if name not in ARRAY_TYPES:
            return (size,)
        header = self.reader.read_at(offset, min(HEADER_BYTES, size))
        try:
            return parse_shape(header, ARRAY_TYPES[name], size)
        except ArrayHeaderError as error:
            raise DamagedPackError(path=self.path, reason=f"{name}: {error}") from error

    def array(self, name: str) -> NDArray[Any]:
        """Map an array entry, read-only and in place; any other entry gives its bytes, u1 [size].

        Raises:
            DamagedPackError: as `shape`.
            PackChangedError: the file is shorter than it was.
        """
        import numpy as np

        shape = self.shape(name)
        offset, size = self.location(name)
        if name in ARRAY_TYPES:
            dtype, offset, size = np.dtype(ARRAY_TYPES[name].descr), offset + HEADER_BYTES, size - HEADER_BYTES
        else:
            dtype = np.dtype(np.uint8)
        if size == 0:
            empty = np.empty(shape, dtype)
            empty.flags.writeable = False
            return empty
        return np.frombuffer(self._mapped(), dtype, size // dtype.itemsize, offset).reshape(shape)

    def view(self, name: str) -> memoryview:
        """Map an entry's bytes, read-only and in place, without NumPy.

        Raises:
            DamagedPackError: the pack has no such entry.
            PackChangedError: the file is shorter than it was.
        """
        offset, size = self.location(name)
        return memoryview(self._mapped())[offset : offset + size]

    def close(self) -> None:
        """Close the file."""
        self._map = None  # not closed: arrays may still show it, and the last of them frees it
        self.reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _mapped(self) -> mmap.mmap:
        """Map the whole file once; address space is no memory, and one map serves every entry."""
        if self._map is None:
            try:
                self._map = mmap.mmap(self.reader.fileno(), self.layout.size, access=mmap.ACCESS_READ)
            except (OSError, ValueError) as error:
                raise PackChangedError(path=self.path) from error
        return self._map
