"""Separate a model's thinking (`<think>…</think>`) from its answer while both stream in pieces of any size."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto

_OPEN, _CLOSE = "<think>", "</think>"


class _Place(Enum):
    START = auto()
    THOUGHT = auto()
    ANSWER = auto()


class ThinkingFilter:
    """Feeds pieces through; holds back what may be the beginning of a tag.

    Only an answer's very beginning can be thought: the tag in the middle of a text is what the text talks about. White
    space before a thought and before the answer is left out, so that offsets into the answer begin at its first word.
    """

    def __init__(self, *, inside: bool = False) -> None:
        """`inside`: the prompt has opened the thought already."""
        self._place = _Place.THOUGHT if inside else _Place.START
        self._held = ""
        self._at_beginning = True

    def feed(self, piece: str) -> Iterator[tuple[bool, str]]:
        """Yield (is it thought, text) for what a piece completes."""
        self._held += piece
        if self._place is _Place.START:
            begun = self._held.lstrip()
            if begun.startswith(_OPEN):
                self._enter(_Place.THOUGHT, begun[len(_OPEN) :])
            elif not _OPEN.startswith(begun):
                self._enter(_Place.ANSWER, begun)
        if self._place is _Place.THOUGHT:
            at = self._held.find(_CLOSE)
            yield from self._give(at if at >= 0 else len(self._held) - _tail_of(self._held, _CLOSE))
            if at >= 0:
                self._enter(_Place.ANSWER, self._held[len(_CLOSE) :])
        if self._place is _Place.ANSWER:
            yield from self._give(len(self._held))

    def finish(self) -> Iterator[tuple[bool, str]]:
        """Yield what was held back: the text ended before it became a tag."""
        yield from self._give(len(self._held))

    def _enter(self, place: _Place, held: str) -> None:
        self._place, self._held, self._at_beginning = place, held, True

    def _give(self, count: int) -> Iterator[tuple[bool, str]]:
        text, self._held = self._held[:count], self._held[count:]
        if self._at_beginning:
            text = text.lstrip()
        if text:
            self._at_beginning = False
            yield self._place is _Place.THOUGHT, text


def _tail_of(text: str, tag: str) -> int:
    """Return how many of the last characters may be the beginning of a tag."""
    return next((size for size in range(min(len(tag) - 1, len(text)), 0, -1) if text.endswith(tag[:size])), 0)
