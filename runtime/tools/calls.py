"""Tool calls in a model's text, in the form of DESIGN 3.2: `<tool_call>{"name": …, "arguments": {…}}</tool_call>`.

Fed piece by piece as the text streams: what could be the beginning of a call is held back, all else passes at once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from satchel.runtime.engine.base import ToolCall

OPENING, CLOSING = "<tool_call>", "</tool_call>"
_MOST_CHARACTERS = 1 << 20
"""Of one call; a model that never closes one must not fill the memory."""


@dataclass(frozen=True, slots=True)
class BrokenCall:
    """A call that cannot be read; `reason` is for the model."""

    raw: str
    reason: str


Piece: TypeAlias = str | ToolCall | BrokenCall
"""A piece of ordinary text, a call, or what should have been one."""


class CallParser:
    """Splits a stream of text into text and calls."""

    def __init__(self) -> None:
        self._held = ""
        self._inside = False
        self._scanned = 0
        self._in_string = self._escaped = False
        self._first_closing = -1
        """Of a closing tag inside of what looks like a string: where the call ends if its JSON was never closed."""

    def feed(self, text: str) -> list[Piece]:
        """Take the next piece of the model's text and return what is complete by now, in order."""
        self._held += text
        pieces: list[Piece] = []
        while (piece := self._next()) is not None:
            pieces.append(piece)
        return pieces

    def end(self) -> list[Piece]:
        """Return what is left when the text has ended; an open call is a broken one."""
        pieces: list[Piece] = []
        if self._inside and self._first_closing >= 0:
            pieces += [self._taken(self._first_closing), *self.feed("")]
        held, self._held = self._held, ""
        if self._inside:
            self._inside = False
            pieces.append(BrokenCall(held, f"The call was not finished with {CLOSING}"))
        elif held:
            pieces.append(held)
        return pieces

    def _next(self) -> Piece | None:
        if self._inside:
            end = self._end_of_call()
            if end is not None:
                return self._taken(end)
            if len(self._held) > _MOST_CHARACTERS:
                raw, self._held, self._inside = self._held, "", False
                return BrokenCall(raw[:200], f"The call is longer than {_MOST_CHARACTERS:,} characters")
            return None
        start = self._held.find(OPENING)
        if start == 0:
            self._held = self._held[len(OPENING) :]
            self._inside, self._in_string, self._escaped = True, False, False
            self._scanned, self._first_closing = 0, -1
            return self._next()
        keep = start if start > 0 else len(self._held) - _overlap(self._held)
        text, self._held = self._held[:keep], self._held[keep:]
        return text or None

    def _end_of_call(self) -> int | None:
        """Return where the closing tag stands that is in no JSON string; None when it has not come."""
        held = self._held
        # The last characters could be the beginning of the tag.
        while self._scanned <= len(held) - len(CLOSING):
            at = self._scanned
            if held.startswith(CLOSING, at):
                if not self._in_string:
                    return at
                if self._first_closing < 0:
                    self._first_closing = at
            character = held[at]
            if self._escaped:
                self._escaped = False
            elif self._in_string and character == "\\":
                self._escaped = True
            elif character == '"':
                self._in_string = not self._in_string
            self._scanned += 1
        return None

    def _taken(self, end: int) -> Piece:
        raw = self._held[:end]
        self._held = self._held[end + len(CLOSING) :]
        self._inside = False
        return parse_call(raw)


def parse_call(raw: str) -> ToolCall | BrokenCall:
    """Read what stands between the tags."""
    try:
        call = msgspec.json.decode(raw.strip().encode(), type=ToolCall)
    except UnicodeEncodeError:
        return BrokenCall(raw, "The call holds characters that are no Unicode text")
    except RecursionError:
        return BrokenCall(raw, "The call is nested too deeply")
    except msgspec.ValidationError as error:
        return BrokenCall(raw, f'The call must be {{"name": …, "arguments": {{…}}}} and nothing more: {error}')
    except msgspec.DecodeError as error:
        return BrokenCall(raw, f"The call is no valid JSON: {error}")
    return call


def written(call: ToolCall) -> str:
    """Return a call as the grammar has a model write it."""
    document = {"name": call.name, "arguments": call.arguments}
    return f"{OPENING}{json.dumps(document, ensure_ascii=False)}{CLOSING}"


def _overlap(text: str) -> int:
    """Return how many characters at the end of `text` could begin an opening tag."""
    longest = min(len(text), len(OPENING) - 1)
    return next((length for length in range(longest, 0, -1) if OPENING.startswith(text[-length:])), 0)
