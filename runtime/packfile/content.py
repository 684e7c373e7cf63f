"""What goes into a pack's entries, streamed in chunks of known total size."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from satchel.runtime.packfile.arrays import ARRAY_TYPES, build_header

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNK_BYTES = 1 << 20


class ContentError(Exception):
    """Why a content cannot go into a pack, in plain words."""


class Content(Protocol):
    """Bytes of a size that is known before they are read."""

    @property
    def size(self) -> int:
        """Bytes that `chunks` will give."""

    def chunks(self) -> Iterator[bytes | memoryview]:
        """Yield the bytes in order.

        Raises:
            ContentError: they cannot be read, or are not `size` many any more.
        """


class BytesContent:
    """Bytes in memory."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size = len(content)

    def chunks(self) -> Iterator[memoryview]:
        """Yield slices; nothing is copied."""
        view = memoryview(self._content)
        for start in range(0, self.size, CHUNK_BYTES):
            yield view[start : start + CHUNK_BYTES]


class FileContent:
    """A regular file, read once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            status = path.stat()
        except OSError as error:
            raise ContentError(f"{path} cannot be read: {_words(error)}") from error
        if not stat.S_ISREG(status.st_mode):
            raise ContentError(f"{path} is no regular file")
        self.size = status.st_size

    def chunks(self) -> Iterator[bytes]:
        """Yield the file's bytes."""
        left = self.size
        try:
            with self._path.open("rb", buffering=0) as file:
                while chunk := file.read(min(CHUNK_BYTES, left + 1)):
                    left -= len(chunk)
                    if left < 0:
                        raise ContentError(f"{self._path} grew while it was being packed")
                    yield chunk
        except OSError as error:
            raise ContentError(f"{self._path} cannot be read: {_words(error)}") from error
        if left:
            raise ContentError(f"{self._path} was cut short while it was being packed")


class ArrayContent:
    """A C-contiguous array: with its npy header under an `.npy` name, else a row of bytes as it is."""

    def __init__(self, name: str, array: NDArray[Any]) -> None:
        if not array.flags.c_contiguous:
            raise ContentError("the array is not C-contiguous")
        self._array = array
        self._little = array.dtype.newbyteorder("<")
        self._header = b""
        if (array_type := ARRAY_TYPES.get(name)) is not None:
            descr = str(self._little.str)
            if descr != array_type.descr or not array_type.fits(array.shape):
                raise ContentError(
                    f"it is {array.dtype.str[1:]} {list(array.shape)}, and {array_type.in_words()} is expected"
                )
            self._header = build_header(descr, array.shape)
        elif array.dtype.str != "|u1" or array.ndim != 1:
            raise ContentError(f"it is {array.dtype.str[1:]} {list(array.shape)}, and u1 [n] is expected")
        self.size = len(self._header) + array.nbytes

    def chunks(self) -> Iterator[bytes]:
        """Yield the header and the elements, little-endian on every machine; one chunk is copied at a time."""
        if self._header:
            yield self._header
        flat = self._array.reshape(-1)
        step = CHUNK_BYTES // self._array.itemsize
        for start in range(0, flat.size, step):
            yield flat[start : start + step].astype(self._little, copy=False).tobytes()


def _words(error: OSError) -> str:
    return (error.strerror or os.strerror(error.errno or 0)).lower()
