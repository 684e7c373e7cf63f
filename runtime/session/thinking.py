"""Separate a model's thinking (`<think>…</think>`) from its answer while both stream in pieces of any size."""

from __future__ import annotations

from collections.abc import Iterator

_OPEN, _CLOSE = "<think>", "</think>"


class ThinkingFilter:
    """Feeds pieces through; holds back what may be the beginning of a tag."""

    def __init__(self) -> None:
        self._inside = False
        self._held = ""
        self._begun = False

    def feed(self, piece: str) -> Iterator[tuple[bool, str]]:
        """Yield (is it thought, text) for what a piece completes; an empty piece is a token without text yet."""
        self._held += piece
        while self._held:
            tag = _CLOSE if self._inside else _OPEN
            at = self._held.find(tag)
            # Only an answer's very beginning can be thought: the tag in the middle of a text is what it talks about.
            if not self._inside and self._begun:
                yield False, self._take(len(self._held))
                return
            if at >= 0:
                if self._inside and at:
                    yield True, self._held[:at]
                self._held = self._held[at + len(tag) :].lstrip("\n")
                self._inside = not self._inside
                self._begun = self._begun or not self._inside
                continue
            keep = _tail_of(self._held.lstrip() if not self._inside else self._held, tag)
            ready = len(self._held) - keep
            if not self._inside and keep and not self._held[:ready].strip():
                return
            if ready:
                self._begun = self._begun or not self._inside
                yield self._inside, self._take(ready)
            return

    def _take(self, count: int) -> str:
        text, self._held = self._held[:count], self._held[count:]
        return text


def _tail_of(text: str, tag: str) -> int:
    """Return how many of the last characters may be the beginning of a tag."""
    return next((size for size in range(min(len(tag) - 1, len(text)), 0, -1) if text.endswith(tag[:size])), 0)
