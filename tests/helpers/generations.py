"""What an engine said, taken apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from satchel.runtime.engine.base import ChatMessage, Generated, Item, Prefill, SamplingSettings, TokenPiece

GREEDY = SamplingSettings(temperature=0.0, repeat_penalty=1.0)


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation from its first item to its last."""

    prefills: tuple[Prefill, ...]
    pieces: tuple[TokenPiece, ...]
    ended: Generated

    @property
    def text(self) -> str:
        """All that was said."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def tokens(self) -> tuple[int, ...]:
        """The ids of the tokens that were shown."""
        return tuple(piece.token_id for piece in self.pieces)

    @property
    def exactly(self) -> tuple[tuple[int, float], ...]:
        """Tokens with their log probabilities, to the last bit: equal only when the very same sums were computed."""
        return tuple((piece.token_id, piece.logprob) for piece in self.pieces)


def collect(items: Iterable[Item]) -> Generation:
    """Take all items of a generation, which come in their order."""
    *others, ended = items
    assert isinstance(ended, Generated)
    prefills = [item for item in others if isinstance(item, Prefill)]
    pieces = [item for item in others if isinstance(item, TokenPiece)]
    assert others == [*prefills, *pieces]
    return Generation(tuple(prefills), tuple(pieces), ended)


def user(text: str) -> ChatMessage:
    """Return what a person says."""
    return ChatMessage("user", text)


def system(text: str) -> ChatMessage:
    """Return instructions."""
    return ChatMessage("system", text)


def assistant(text: str) -> ChatMessage:
    """Return what the model said before."""
    return ChatMessage("assistant", text)
