"""Canonical JSON: one spelling for each value, so that bytes can be compared and hashed.

UTF-8, keys sorted, no white space, no floats; decimals are strings with one spelling each ("0.35", never "0.350" or
".35").
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

DECIMAL_PATTERN = r"(?:0|[1-9][0-9]{0,5})(?:\.[0-9]{0,5}[1-9])?"
"""Not negative, up to six digits on either side of the point."""

_UNKNOWN_KEY = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING_KEY = re.compile(r"Object missing required field `(.*)`")


class SchemaError(Exception):
    """What is wrong at which place of a document; its readers turn it into the `SatchelError` that names the file."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        """Such as `entries[3].sha256`."""
        self.reason = reason


def encode(value: Any) -> bytes:
    """Return the canonical bytes of a Struct, or a tuple of them, that holds no floats."""
    return msgspec.json.encode(value, order="sorted")


def decode(content: bytes, kind: type[T], document: str) -> T:
    """Return the value whose canonical bytes are `content`.

    Raises:
        SchemaError: another type, an unknown or missing key, a value out of range, or another spelling;
            `document` ("manifest.json") is the place where no key is to blame.
    """
    try:
        value = msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        raise _placed(str(error), document) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SchemaError(document, f"it is no JSON ({str(error)[:200]})") from error
    if encode(value) != content:
        raise SchemaError(document, "it is not in canonical form (sorted keys, no white space, each key once)")
    return value


def _placed(message: str, document: str) -> SchemaError:
    reason, _, place = message.partition(" - at `$")
    place = place.removesuffix("`").removeprefix(".") or document
    reason = _UNKNOWN_KEY.sub(lambda found: f"unknown key {found[1]!r:.80}", reason)
    reason = _MISSING_KEY.sub(lambda found: f"the key {found[1]!r} is missing", reason)
    return SchemaError(place, reason[:1].lower() + reason[1:])
