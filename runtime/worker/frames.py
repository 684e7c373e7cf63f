"""Length-prefixed MessagePack frames over a pair of pipes.

Parent to child: (call id, method, params), or (call id, "cancel", None).
Child to parent: (call id, kind, payload) with a kind of `ITEM`, `RESULT` or `ERROR`.
"""

from __future__ import annotations

import struct
from typing import IO, Any

import msgspec

ITEM, RESULT, ERROR = 0, 1, 2
CANCEL = "cancel"

_LENGTH = struct.Struct("<I")
_MAX_FRAME = 1 << 30
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class ErrorPayload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the payload of an `ERROR` holds."""

    message: str
    code: str = ""
    """`SatchelError.code()`; empty for a bug."""
    module: str = ""
    """Where the class is defined; the parent may not have imported it."""
    fields: dict[str, str | int | float] = {}


class BrokenFrameError(Exception):
    """The other side sent bytes that are no frame; it cannot be talked to any more."""


def write_frame(pipe: IO[bytes], value: Any) -> None:
    """Write one frame and flush it."""
    body = _encode(value)
    pipe.write(_LENGTH.pack(len(body)) + body)
    pipe.flush()


def read_frame(pipe: IO[bytes]) -> Any | None:
    """Return the next frame's value, or None when the pipe ended: the other side is gone, mid-frame or not.

    Raises:
        BrokenFrameError: the length is absurd, or it is not MessagePack.
    """
    header = pipe.read(_LENGTH.size)
    if len(header) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(header)
    if length > _MAX_FRAME:
        raise BrokenFrameError
    body = pipe.read(length)
    if len(body) < length:
        return None
    try:
        return _decode(body)
    except msgspec.DecodeError as error:
        raise BrokenFrameError from error
