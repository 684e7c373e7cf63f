"""Turns sampled tokens into text: whole characters only, and nothing of a stop string."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass, replace

from satchel.runtime.engine.base import Alternative, TokenPiece


@dataclass(frozen=True, slots=True)
class SampledToken:
    """One token as the model gave it; `piece` may be part of a character."""

    token_id: int
    piece: bytes
    logprob: float
    alternatives: tuple[Alternative, ...]


@dataclass(frozen=True, slots=True)
class _Held:
    token: SampledToken
    text: str


class TextStream:
    """Holds tokens back until their text is certain to be no part of a stop string."""

    def __init__(self, stops: Sequence[str] = ()) -> None:
        """Empty stop strings are left out."""
        self._stops = [stop for stop in stops if stop]
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._held: list[_Held] = []
        self.stopped = False
        """A stop string has appeared; nothing more will come."""

    def push(self, token: SampledToken) -> list[TokenPiece]:
        """Take a token and return those whose text is certain now, in order."""
        self._held.append(_Held(token, self._decoder.decode(token.piece)))
        if not self._stops:
            return self._release(len(self._held))
        text = "".join(held.text for held in self._held)
        if (start := self._found(text)) is not None:
            self.stopped = True
            self._cut(start)
            return self._release(len(self._held))
        return self._release_before(len(text) - self._waiting(text))

    def finish(self) -> list[TokenPiece]:
        """Return what was held back at the end of a generation; a character that was only begun is no text."""
        return [] if self.stopped else self._release(len(self._held))

    def _found(self, text: str) -> int | None:
        starts = [at for stop in self._stops if (at := text.find(stop)) >= 0]
        return min(starts) if starts else None

    def _waiting(self, text: str) -> int:
        """Return the length of the text's longest end that a stop string may begin with."""
        most = 0
        for stop in self._stops:
            for length in range(min(len(stop) - 1, len(text)), most, -1):
                if text.endswith(stop[:length]):
                    most = length
                    break
        return most

    def _release_before(self, end: int) -> list[TokenPiece]:
        """Release the tokens whose text ends at or before a place in the held text."""
        count = at = 0
        for held in self._held:
            at += len(held.text)
            if at > end:
                break
            count += 1
        return self._release(count)

    def _cut(self, start: int) -> None:
        """Drop the tokens that a stop string begins in or before, but for the text before it."""
        kept: list[_Held] = []
        at = 0
        for held in self._held:
            if at >= start and held.text:
                break
            kept.append(replace(held, text=held.text[: start - at]))
            at += len(held.text)
        self._held = kept

    def _release(self, count: int) -> list[TokenPiece]:
        released, self._held = self._held[:count], self._held[count:]
        return [
            TokenPiece(held.text, held.token.token_id, held.token.logprob, held.token.alternatives) for held in released
        ]
