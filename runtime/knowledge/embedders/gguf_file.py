"""Writing a GGUF; the format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.

Not the `gguf` package, which would bring requests and PyYAML into the plain installation for what stands below, and
which writes to a path of its own choosing, where our saves are atomic. Tests read the files with that package.
"""

from __future__ import annotations

import enum
import math
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

_MAGIC, _VERSION = b"GGUF", 3
_ALIGNMENT = 32
_ROWS_AT_ONCE = 8192
"""Bounds the copies made of a large vocabulary's embeddings."""

MetadataValue = str | bool | int | float


class WeightType(enum.Enum):
    """ggml's number of a tensor type that holds floats."""

    F32 = 0
    F16 = 1
    BF16 = 30

    @property
    def bytes_each(self) -> int:
        """Size of one value."""
        return 4 if self is WeightType.F32 else 2


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """One tensor and the type it is written in."""

    name: str
    values: NDArray[np.float32]
    type: WeightType


def write_gguf(file: BinaryIO, metadata: Mapping[str, MetadataValue], tensors: Iterable[GgufTensor]) -> None:
    """Write a whole GGUF; ints become uint32, floats float32."""
    tensors = list(tensors)
    file.write(_MAGIC + struct.pack("<IQQ", _VERSION, len(tensors), len(metadata)))
    size = len(_MAGIC) + 20
    for key, value in metadata.items():
        size += file.write(_string(key) + _typed(value))
    offset = 0
    for tensor in tensors:
        # Dimensions are written innermost first.
        shape = tensor.values.shape[::-1]
        size += file.write(
            _string(tensor.name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, tensor.type.value, offset)
        )
        offset += _aligned(math.prod(shape) * tensor.type.bytes_each)
    file.write(bytes(_aligned(size) - size))
    for tensor in tensors:
        rows = tensor.values.reshape(-1, tensor.values.shape[-1])
        written = 0
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            written += file.write(stored(rows[start : start + _ROWS_AT_ONCE], tensor.type).data)
        file.write(bytes(_aligned(written) - written))


def stored(values: NDArray[np.float32], kind: WeightType) -> NDArray[np.generic]:
    """Return the values as they are stored; bfloat16 as its bits, rounded to the nearest, halves to even."""
    values = np.ascontiguousarray(values, np.float32)
    if kind is WeightType.F32:
        return values
    if kind is WeightType.F16:
        return values.astype(np.float16)
    bits = values.view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def _typed(value: MetadataValue) -> bytes:
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    return struct.pack("<I", 8) + _string(value)


def _string(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def _aligned(size: int) -> int:
    return size + -size % _ALIGNMENT
