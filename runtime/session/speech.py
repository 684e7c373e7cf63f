"""What a model says until it ends: text, thoughts and calls told apart as they stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from satchel.runtime.engine.base import TokenPiece, ToolCall
from satchel.runtime.session.events import Alternative, Event, Thinking, Token
from satchel.runtime.session.thinking import ThinkingFilter
from satchel.runtime.tools.calls import BrokenCall, CallParser, Piece


class Speech:
    """One generation; a turn with tool calls has several."""

    def __init__(self, said: list[str], *, opens_thinking: bool, calls_tools: bool) -> None:
        """`said` is what it has said before its last call; the text goes on there."""
        self.calls: list[ToolCall | BrokenCall] = []
        self._said = said
        self._own: list[str] = []
        self._thinking = ThinkingFilter(inside=opens_thinking)
        self._parser = CallParser() if calls_tools else None

    @property
    def text(self) -> str:
        """What was said here, calls left out."""
        return "".join(self._own).strip()

    def feed(self, piece: TokenPiece) -> Iterator[Event]:
        """Take a token."""
        alternatives = tuple(Alternative(other.text, other.logprob) for other in piece.alternatives)
        for is_thought, text in self._thinking.feed(piece.text):
            yield from self._told(text, Token("", piece.logprob, alternatives), is_thought=is_thought)

    def end(self) -> Iterator[Event]:
        """Take what was held back."""
        for is_thought, text in self._thinking.finish():
            yield from self._told(text, Token(""), is_thought=is_thought)
        if self._parser is not None:
            yield from self._pieces(self._parser.end(), Token(""))

    def _told(self, text: str, token: Token, *, is_thought: bool) -> Iterator[Event]:
        if is_thought:
            yield Thinking(text)
        elif self._parser is None:
            yield from self._pieces([text], token)
        else:
            yield from self._pieces(self._parser.feed(text), token)

    def _pieces(self, pieces: Iterable[Piece], token: Token) -> Iterator[Event]:
        for piece in pieces:
            if not isinstance(piece, str):
                self.calls.append(piece)
            elif text := self._fitting(piece):
                self._own.append(text)
                self._said.append(text)
                yield msgspec.structs.replace(token, text=text)

    def _fitting(self, text: str) -> str:
        """Part what is said after a call from what was said before it; leave out the space round calls."""
        if self._own:
            return text
        text = text.lstrip()
        return f"\n\n{text}" if text and self._said else text
