"""The arrays of a pack: their types, and the one npy 1.0 header that each shape has.

The header is that of `numpy.lib.format` (version 1.0), always padded to 128 bytes, so that an array whose entry starts
on a 64-byte border has its data on one too. It is parsed without NumPy, by rebuilding it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import prod

from satchel.runtime.packfile import names

HEADER_BYTES = 128

_PREFIX = b"\x93NUMPY\x01\x00\x76\x00"  # 0x0076 = 118: the header's length after these ten bytes
_DICT = re.compile(
    rb"\{'descr': '([<|][iuf][1248])', 'fortran_order': False, 'shape': \(([0-9]{1,10}),(?: ([0-9]{1,10}))?\), \}"
)


class ArrayHeaderError(Exception):
    """Why the header of an array is not the canonical one of its type."""


@dataclass(frozen=True, slots=True)
class ArrayType:
    """NumPy's type code, and the second axis: None for one axis, 0 for any length, else the length."""

    descr: str
    columns: int | None

    @property
    def item_bytes(self) -> int:
        """Bytes of one element."""
        return int(self.descr[-1])

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Say whether an array of this type may have `shape`."""
        if self.columns is None:
            return len(shape) == 1
        return len(shape) == 2 and (self.columns in {0, shape[1]})  # noqa: PLR2004 - rows and columns

    def in_words(self) -> str:
        """Return such as "u4 [n, 5]"."""
        axes = "n" if self.columns is None else f"n, {self.columns or 'd'}"
        return f"{self.descr[1:]} [{axes}]"


ARRAY_TYPES = {
    names.PAGES: ArrayType("<u4", 2),
    names.PASSAGES: ArrayType("<u4", 5),
    names.VECTORS_HIGH: ArrayType("|i1", 0),
    names.VECTORS_LOW: ArrayType("|i1", 0),
    names.VECTORS_SCALE: ArrayType("<f4", None),
    names.BM25_TERM_STARTS: ArrayType("<u4", None),
    names.BM25_POSTINGS: ArrayType("<u8", None),
    names.BM25_PASSAGES: ArrayType("<u4", None),
    names.BM25_COUNTS: ArrayType("<u2", None),
    names.BM25_LENGTHS: ArrayType("<u4", None),
}


def build_header(descr: str, shape: tuple[int, ...]) -> bytes:
    """Return the 128 bytes in front of an array's data."""
    axes = ", ".join(str(length) for length in shape) + ("," if len(shape) == 1 else "")
    described = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': ({axes}), }}".encode()
    return _PREFIX + described.ljust(HEADER_BYTES - len(_PREFIX) - 1) + b"\n"


def parse_shape(header: bytes, array_type: ArrayType, entry_size: int) -> tuple[int, ...]:
    """Return the shape that an array entry's first 128 bytes give.

    Raises:
        ArrayHeaderError: another type, another spelling, or a shape that is not the entry's size.
    """
    if len(header) < HEADER_BYTES:
        raise ArrayHeaderError("it is too short for an npy header")
    found = _DICT.match(header, len(_PREFIX))
    if found is None:
        raise ArrayHeaderError("its npy header is not in canonical form")
    shape = tuple(int(axis) for axis in found.groups()[1:] if axis is not None)
    if build_header(found[1].decode(), shape) != header:
        raise ArrayHeaderError("its npy header is not in canonical form")
    if found[1].decode() != array_type.descr or not array_type.fits(shape):
        said = f"{found[1].decode()[1:]} {list(shape)}"
        raise ArrayHeaderError(f"it is {said}, and {array_type.in_words()} is expected")
    if HEADER_BYTES + prod(shape) * array_type.item_bytes != entry_size:
        raise ArrayHeaderError(f"its shape {list(shape)} does not fit its {entry_size} bytes")
    return shape
