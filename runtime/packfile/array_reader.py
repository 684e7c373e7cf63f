"""Rows of an array entry, read in pieces without mapping it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satchel.runtime.packfile.arrays import ARRAY_TYPES, HEADER_BYTES
from satchel.runtime.packfile.pack import Pack


class ArrayReader:
    """One array entry; `shape` is what its header says."""

    def __init__(self, pack: Pack, name: str) -> None:
        """Read and compare the header.

        Raises:
            DamagedPackError: the entry is absent, or no array of its type.
        """
        self.name = name
        self.shape = pack.shape(name)
        self._pack = pack
        self._dtype = np.dtype(ARRAY_TYPES[name].descr)
        self._row_items = self.shape[1] if len(self.shape) > 1 else 1

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return self._row_items * self._dtype.itemsize

    def rows(self, start: int, stop: int) -> NDArray[Any]:
        """Return the rows from `start` to before `stop`, which are clipped to the array."""
        stop = max(start, min(stop, len(self)))
        content = self._pack.read_range(
            self.name, HEADER_BYTES + start * self.row_bytes, (stop - start) * self.row_bytes
        )
        return np.frombuffer(content, self._dtype).reshape(-1, *self.shape[1:])

    def pieces(self, rows: int) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield (first row's number, up to `rows` rows), to the end."""
        for start in range(0, len(self), rows):
            yield start, self.rows(start, start + rows)
