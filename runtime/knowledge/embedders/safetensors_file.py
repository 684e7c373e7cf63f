"""Safetensors files, read and written: https://huggingface.co/docs/safetensors (an 8-byte length, JSON, then bytes).

Not the library: its NumPy face knows no bfloat16, and its checks of a file are the twenty lines below.
"""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

from satchel.runtime.knowledge.embedders.errors import WeightsError

_LENGTH = struct.Struct("<Q")
_LONGEST_HEADER = 100_000_000
"""The format's own limit."""
_METADATA = "__metadata__"
_ALIGNMENT = 64
_TYPES = {"F32": "<f4", "F16": "<f2", "I8": "i1", "I64": "<i8", "I32": "<i4", "U8": "u1", "BF16": "<u2"}
_NAMES = {"f4": "F32", "f2": "F16", "i1": "I8"}


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


class SafetensorsFile:
    """The tensors of one file, mapped and not copied."""

    def __init__(self, path: Path) -> None:
        """Read the header and check that it describes the file exactly.

        Raises:
            WeightsError: it is no whole safetensors file.
        """
        self._path = path
        try:
            size = path.stat().st_size
            with path.open("rb") as file:
                (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
                if length > min(size, _LONGEST_HEADER):
                    raise self._error("it is cut short, or no safetensors file")
                header = msgspec.json.decode(file.read(length), type=dict[str, msgspec.Raw])
            self.metadata = msgspec.json.decode(header.pop(_METADATA, msgspec.Raw(b"{}")), type=dict[str, str])
            self._entries = {name: msgspec.json.decode(raw, type=_Entry) for name, raw in header.items()}
            self._bytes: NDArray[np.uint8] = np.memmap(path, np.uint8, "r", offset=_LENGTH.size + length)
        except OSError as error:
            raise self._error((error.strerror or str(error)).lower()) from error
        except (struct.error, msgspec.DecodeError, ValueError) as error:
            raise self._error("it is cut short, or no safetensors file") from error
        for name, entry in self._entries.items():
            self._check(name, entry)

    @property
    def names(self) -> list[str]:
        """The tensors' names."""
        return list(self._entries)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return a tensor's shape."""
        return self._entries[name].shape

    def raw(self, name: str) -> NDArray[np.generic]:
        """Return a tensor as it is stored (bfloat16: its bits as uint16), read-only."""
        entry = self._entries[name]
        start, end = entry.data_offsets
        return self._bytes[start:end].view(_TYPES[entry.dtype]).reshape(entry.shape)

    def floats(self, name: str) -> NDArray[np.float32]:
        """Return a tensor in float32; mapped and read-only where it is stored so.

        Raises:
            WeightsError: it does not hold floats.
        """
        raw, kind = self.raw(name), self._entries[name].dtype
        if kind == "BF16":
            return (raw.astype(np.uint32) << 16).view(np.float32)
        if kind not in {"F32", "F16"}:
            raise self._error(f"tensor {name} is of type {kind}")
        return raw.astype(np.float32, copy=False)

    def _check(self, name: str, entry: _Entry) -> None:
        if entry.dtype not in _TYPES:
            raise self._error(f"tensor {name} is of the unknown type {entry.dtype}")
        start, end = entry.data_offsets
        size = math.prod(entry.shape) * np.dtype(_TYPES[entry.dtype]).itemsize
        if not (0 <= start <= end <= len(self._bytes) and end - start == size and min(entry.shape, default=0) >= 0):
            raise self._error(f"tensor {name} reaches past its end, so it is cut short or damaged")

    def _error(self, reason: str) -> WeightsError:
        return WeightsError(path=self._path, reason=reason)


def write_safetensors(file: BinaryIO, tensors: Mapping[str, NDArray[np.generic]], metadata: Mapping[str, str]) -> None:
    """Write float32, float16 and int8 tensors in the order given; equal input gives equal bytes."""
    ends = list(itertools.accumulate((tensor.nbytes for tensor in tensors.values()), initial=0))
    header: dict[str, object] = {_METADATA: dict(metadata)}
    for (name, tensor), (start, end) in zip(tensors.items(), itertools.pairwise(ends), strict=True):
        header[name] = {"dtype": _NAMES[tensor.dtype.str[1:]], "shape": tensor.shape, "data_offsets": (start, end)}
    text = msgspec.json.encode(header)
    text += b" " * (-(_LENGTH.size + len(text)) % _ALIGNMENT)
    file.write(_LENGTH.pack(len(text)) + text)
    for tensor in tensors.values():
        file.write(np.ascontiguousarray(tensor).data)
