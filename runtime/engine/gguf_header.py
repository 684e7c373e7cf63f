"""Reads a GGUF's header, and nothing of its weights, before llama.cpp sees the file.

llama.cpp checks much itself, but says "failed to load model" whatever was wrong, and maps tensors that a truncated file
does not hold. Here every count and length is capped before anything is allocated.

Source: the GGUF specification, versions 2 and 3.
"""

from __future__ import annotations

import hashlib
import math
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

from satchel.runtime.engine.errors import MissingPartError, NotAGgufError, TruncatedModelError, UnsupportedModelError
from satchel.runtime.engine.tensor_types import TENSOR_TYPES, tensor_bytes

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_MAX_METADATA = 1 << 16
_MAX_TENSORS = 1 << 18
_MAX_KEY_BYTES = 1 << 16
_MAX_STRING_BYTES = 16 << 20
_MAX_ARRAY_ITEMS = 1 << 23
_MAX_HEADER_BYTES = 128 << 20
"""Ten times that of a model with half a million words and merges; a hostile one is held in memory up to here."""
_MAX_TENSOR_NAME_BYTES = 127
_MAX_DIMENSIONS = 4
_MAX_TENSOR_VALUES = 1 << 62
_MAX_PARTS = 999
_KEPT_ARRAY_ITEMS = 4096
_CHUNK = 1 << 20
_PART_NAME = re.compile(r"^(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf$", re.DOTALL)

_STRING, _ARRAY = 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_LOOKS_LIKE = (
    (b"version https://git-lfs", "a Git LFS pointer: the file itself was never downloaded"),
    (b"<!DOCTYPE", "a web page: the download gave an error page"),
    (b"<html", "a web page: the download gave an error page"),
    (b"PK\x03\x04", "a ZIP archive, perhaps a PyTorch checkpoint"),
    (b"lmgg", "in GGML, the format before GGUF"),
    (b"tjgg", "in GGJT, the format before GGUF"),
)

Scalar: TypeAlias = int | float | bool | str


@dataclass(frozen=True, slots=True)
class LongArray:
    """An array that was skipped: vocabulary, merges, scores."""

    items: int


Value: TypeAlias = Scalar | tuple[Scalar, ...] | LongArray


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor's place; `shape` begins with the row length, as ggml counts."""

    name: str
    shape: tuple[int, ...]
    type_id: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What a GGUF, or all parts of a split one, says of itself."""

    path: Path
    """Of the first part."""
    parts: tuple[Path, ...]
    version: int
    metadata: Mapping[str, Value]
    tensors: tuple[Tensor, ...]
    file_bytes: int
    digest: str
    """SHA-256 of all header bytes: names, sizes, template and vocabulary, not the weights."""

    def text(self, key: str, default: str = "") -> str:
        """Return a string of the metadata."""
        value = self.metadata.get(key, default)
        return value if isinstance(value, str) else default

    def number(self, key: str, default: int = 0) -> int:
        """Return a whole number of the metadata; of an array (a value a layer) the largest.

        Raises:
            NotAGgufError: it is infinite, or no number at all (NaN).
        """
        value = self.metadata.get(key, default)
        if isinstance(value, tuple):
            value = max((item for item in value if isinstance(item, int)), default=default)
        return self._whole(key, value) if isinstance(value, int | float) else default

    def numbers(self, key: str, count: int, default: int = 0) -> tuple[int, ...]:
        """Return `count` whole numbers: an array's own, or a single value for all.

        Raises:
            NotAGgufError: one is infinite, or no number at all (NaN).
        """
        value = self.metadata.get(key, default)
        if isinstance(value, tuple):
            found = tuple(self._whole(key, item) for item in value if isinstance(item, int | float))
            return (found + (found[-1] if found else default,) * count)[:count]
        return (self._whole(key, value) if isinstance(value, int | float) else default,) * count

    def items(self, key: str) -> int:
        """Return the length of an array of the metadata; 0 without one."""
        value = self.metadata.get(key)
        if isinstance(value, LongArray):
            return value.items
        return len(value) if isinstance(value, tuple) else 0

    @property
    def architecture(self) -> str:
        """The name that its own keys begin with, such as `llama`."""
        return self.text("general.architecture")

    def _whole(self, key: str, value: float) -> int:
        if not math.isfinite(value):
            raise NotAGgufError(path=self.path, reason=f"{key} is {value}")
        return int(value)


def read_model(path: Path) -> GgufHeader:
    """Read a model's header; for any part of a split model, the headers of all its parts as one.

    Raises:
        NotAGgufError, TruncatedModelError, UnsupportedModelError: names the file and what is wrong.
        MissingPartError: names the part that is not there.
    """
    match = _PART_NAME.match(path.name)
    if match is None:
        header = read_header(path)
        if (count := header.number("split.count")) > 1:
            reason = f"it is one of {count} parts, and its name no longer ends in -00001-of-{count:05}.gguf"
            raise UnsupportedModelError(path=path, reason=reason)
        return header
    count = int(match["count"])
    if not 1 <= count <= _MAX_PARTS:
        raise UnsupportedModelError(path=path, reason=f"{count} parts are not possible")
    parts = [path.with_name(f"{match['stem']}-{number:05}-of-{count:05}.gguf") for number in range(1, count + 1)]
    for part in parts:
        if not part.is_file():
            raise MissingPartError(path=path, count=count, missing=part.name)
    headers = [read_header(part) for part in parts]
    for number, header in enumerate(headers):
        said = header.number("split.count", 1), header.number("split.no")
        if said != (count, number):
            reason = f"its name says part {number + 1} of {count}, its header part {said[1] + 1} of {said[0]}"
            raise UnsupportedModelError(path=header.path, reason=reason)
    first = headers[0]
    return GgufHeader(
        path=parts[0],
        parts=tuple(parts),
        version=first.version,
        metadata=first.metadata,
        tensors=tuple(tensor for header in headers for tensor in header.tensors),
        file_bytes=sum(header.file_bytes for header in headers),
        digest=hashlib.sha256("".join(header.digest for header in headers).encode()).hexdigest(),
    )


def read_header(path: Path) -> GgufHeader:
    """Read the header of one file, and check that the file holds all the tensors that it names.

    Raises:
        NotAGgufError, TruncatedModelError, UnsupportedModelError: names the file and what is wrong.
    """
    try:
        with path.open("rb") as file:
            return _read(path, file, path.stat().st_size)
    except OSError as error:
        raise NotAGgufError(path=path, reason=(error.strerror or str(error)).lower()) from error


def _read(path: Path, file: BinaryIO, file_bytes: int) -> GgufHeader:
    source = _Header(path, file, file_bytes)
    _check_start(path, source.peek(64), file_bytes)
    source.take(len(_MAGIC))
    version = source.number("I")
    if version not in _VERSIONS:
        raise UnsupportedModelError(path=path, reason=_version_reason(version))
    tensor_count = source.count("tensors", _MAX_TENSORS)
    metadata_count = source.count("metadata entries", _MAX_METADATA)
    metadata: dict[str, Value] = {}
    for _ in range(metadata_count):
        key = source.string(_MAX_KEY_BYTES, "a key")
        if key in metadata:
            raise NotAGgufError(path=path, reason=f"{key} is there twice")
        metadata[key] = _value(source, source.number("I"), key)
    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or alignment <= 0 or alignment & (alignment - 1) or alignment > _CHUNK:
        raise NotAGgufError(path=path, reason=f"an alignment of {alignment} is not possible")
    tensors, data_bytes = _tensors(source, tensor_count, alignment)
    data_start = -(-source.position // alignment) * alignment
    if tensors and data_start + data_bytes > file_bytes:
        reason = f"its tensors end at byte {data_start + data_bytes:,}, the file at byte {file_bytes:,}"
        raise TruncatedModelError(path=path, reason=reason)
    return GgufHeader(path, (path,), version, metadata, tensors, file_bytes, source.digest())


def _tensors(source: _Header, count: int, alignment: int) -> tuple[tuple[Tensor, ...], int]:
    """Return the tensors and the bytes that they take from the start of the data."""
    tensors = []
    names = set()
    data_bytes = 0
    for _ in range(count):
        name = source.string(_MAX_TENSOR_NAME_BYTES, "a tensor's name")
        if name in names:
            raise NotAGgufError(path=source.path, reason=f"the tensor {name} is there twice")
        names.add(name)
        dimensions = source.number("I")
        if not 1 <= dimensions <= _MAX_DIMENSIONS:
            raise NotAGgufError(path=source.path, reason=f"the tensor {name} has {dimensions} dimensions")
        shape = tuple(source.number("Q") for _ in range(dimensions))
        type_id, offset = source.number("I"), source.number("Q")
        size = _tensor_size(source.path, name, shape, type_id)
        if offset % alignment or offset != -(-data_bytes // alignment) * alignment:
            raise NotAGgufError(path=source.path, reason=f"the tensor {name} lies at {offset}, not after the last one")
        data_bytes = offset + size
        tensors.append(Tensor(name, shape, type_id, size))
    return tuple(tensors), data_bytes


def _tensor_size(path: Path, name: str, shape: tuple[int, ...], type_id: int) -> int:
    values = 1
    for extent in shape:
        values *= extent
        if extent == 0 or values > _MAX_TENSOR_VALUES:
            raise NotAGgufError(path=path, reason=f"the tensor {name} has the shape {list(shape)}")
    try:
        return tensor_bytes(type_id, shape)
    except KeyError:
        newer = "is newer than this version of Satchel" if type_id > max(TENSOR_TYPES) else "was removed from llama.cpp"
        raise UnsupportedModelError(path=path, reason=f"the type {type_id} of {name} {newer}") from None
    except ValueError as error:
        raise NotAGgufError(path=path, reason=f"the tensor {name}: {error}") from error


def _value(source: _Header, kind: int, key: str) -> Value:
    if kind == _STRING:
        return source.string(_MAX_STRING_BYTES, key)
    if kind in _SCALARS:
        return source.scalar(_SCALARS[kind])
    if kind != _ARRAY:
        raise NotAGgufError(path=source.path, reason=f"{key} has the unknown type {kind}")
    item_kind = source.number("I")
    items = source.count(f"items in {key}", _MAX_ARRAY_ITEMS)
    if item_kind == _STRING:
        if items <= _KEPT_ARRAY_ITEMS:
            return tuple(source.string(_MAX_STRING_BYTES, key) for _ in range(items))
        source.skip_strings(items, key)
        return LongArray(items)
    if item_kind not in _SCALARS:
        raise NotAGgufError(path=source.path, reason=f"{key} is an array of the unknown type {item_kind}")
    layout = struct.Struct(f"<{items}{_SCALARS[item_kind]}")
    raw = source.take(layout.size)
    return layout.unpack(raw) if items <= _KEPT_ARRAY_ITEMS else LongArray(items)


def _check_start(path: Path, start: bytes, file_bytes: int) -> None:
    if start.startswith(_MAGIC):
        return
    if not file_bytes:
        raise NotAGgufError(path=path, reason="it is empty")
    for beginning, meaning in _LOOKS_LIKE:
        if start.lower().startswith(beginning.lower()):
            raise NotAGgufError(path=path, reason=f"it looks like {meaning}")
    if start[8:9] == b"{":
        raise NotAGgufError(path=path, reason="it looks like safetensors, which must be converted first")
    raise NotAGgufError(path=path, reason="it does not begin with GGUF")


def _version_reason(version: int) -> str:
    if version & 0xFFFF == 0:
        return "its bytes are in big-endian order"
    if version < min(_VERSIONS):
        return f"it is GGUF version {version}, which llama.cpp no longer reads; convert the model again"
    return f"it is GGUF version {version}, newer than the version {max(_VERSIONS)} that is known here"


class _Header:
    """The bytes of a header, read in chunks as needed. No mapping: a file cut short would kill this process."""

    def __init__(self, path: Path, file: BinaryIO, file_bytes: int) -> None:
        self.path = path
        self.position = 0
        self._file = file
        self._file_bytes = file_bytes
        self._read = bytearray()

    def peek(self, count: int) -> bytes:
        """Return the next bytes, fewer at the file's end, and stay before them."""
        self._fill(min(self.position + count, self._file_bytes))
        return bytes(self._read[self.position : self.position + count])

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        end = self.position + count
        self._fill(end)
        taken = bytes(self._read[self.position : end])
        self.position = end
        return taken

    def number(self, layout: str) -> int:
        """Return a whole number of a `struct` format."""
        return int(self.scalar(layout))

    def scalar(self, layout: str) -> int | float | bool:
        """Return a number of a `struct` format."""
        size = struct.calcsize("<" + layout)
        self._fill(self.position + size)
        (value,) = struct.unpack_from("<" + layout, self._read, self.position)
        self.position += size
        assert isinstance(value, int | float)
        return value

    def count(self, what: str, most: int) -> int:
        """Return a count that cannot be absurd: each counted thing takes at least a byte of the file."""
        count = self.number("Q")
        if count > most or count > self._file_bytes:
            raise NotAGgufError(path=self.path, reason=f"it names {count:,} {what}")
        return count

    def string(self, most: int, what: str) -> str:
        """Return a length-prefixed UTF-8 string."""
        length = self.number("Q")
        if length > most:
            raise NotAGgufError(path=self.path, reason=f"{what} is {length:,} bytes long")
        return self.take(length).decode(errors="replace")

    def skip_strings(self, count: int, what: str) -> None:
        """Pass over strings: a vocabulary has up to half a million, so this is one tight loop."""
        unpack = struct.Struct("<Q").unpack_from
        position = self.position
        read = self._read
        for _ in range(count):
            if position + 8 > len(read):
                self._fill(position + 8)
            (length,) = unpack(read, position)
            if length > _MAX_STRING_BYTES:
                raise NotAGgufError(path=self.path, reason=f"{what} holds a string of {length:,} bytes")
            position += 8 + length
        self._fill(position)
        self.position = position

    def digest(self) -> str:
        """Return the SHA-256 of all that was taken."""
        return hashlib.sha256(memoryview(self._read)[: self.position]).hexdigest()

    def _fill(self, end: int) -> None:
        if end <= len(self._read):
            return
        if end > _MAX_HEADER_BYTES:
            raise NotAGgufError(path=self.path, reason=f"its header is longer than {_MAX_HEADER_BYTES >> 20} MiB")
        while len(self._read) < end:
            chunk = self._file.read(max(_CHUNK, end - len(self._read)))
            if not chunk:
                reason = f"it ends at byte {len(self._read):,}, inside its header"
                raise TruncatedModelError(path=self.path, reason=reason)
            self._read += chunk
