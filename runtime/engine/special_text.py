"""Keeps a model's control tokens out of what people and files write.

A chat template puts control tokens such as `<|im_end|>` round the messages, and the tokeniser must parse them there;
were the same characters in a passage parsed too, a file could end the user's turn and speak as the system. Rendered
apart, contents would lose what templates do with them (trimming, splitting off thoughts); so they are rendered as they
are, and only where a text holds a special token's characters, or could complete one at its border, unguessable digits
are put in between. The rendered prompt is cut at these digits, and its pieces are tokenised one by one.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_DIGITS = 32


class SpecialTexts:
    """The texts of a vocabulary's special tokens, ready to be looked for."""

    def __init__(self, texts: Iterable[str]) -> None:
        """`texts` must not become tokens by being written in a content."""
        # A single character cannot be broken; no vocabulary makes one a mark that templates use.
        found = sorted({text for text in texts if len(text) > 1}, key=len, reverse=True)
        self._inside = re.compile("|".join(map(re.escape, found)) or r"(?!)")
        # What a content could begin or end with so that template text beside it completes a special token.
        self._heads = frozenset(text[:length] for text in found for length in range(1, len(text)))
        self._tails = frozenset(text[-length:] for text in found for length in range(1, len(text)))
        self._longest = max(map(len, found), default=0)

    def is_risky(self, text: str) -> bool:
        """Return whether a special token could come of a text, by itself or together with what stands beside it."""
        core = text.strip()
        return self._inside.search(text) is not None or self._touches(core)

    def broken(self, text: str, divider: str) -> str:
        """Return the text with the divider at both borders, inside its blanks, and inside every special text."""

        def break_one(match: re.Match[str]) -> str:
            found = match[0]
            middle = (len(found) + 1) // 2
            return found[:middle] + divider + found[middle:]

        core = text.strip()
        start = len(text) - len(text.lstrip())
        before, after = text[:start], text[start + len(core) :]
        previous = None
        while previous != core:  # halves may form a special text with what follows them
            previous, core = core, self._inside.sub(break_one, core)
        return f"{before}{divider}{core}{divider}{after}"

    def _touches(self, core: str) -> bool:
        lengths = range(1, min(self._longest, len(core) + 1))
        return any(core[-length:] in self._heads or core[:length] in self._tails for length in lengths)


class Guard:
    """Prepares one conversation for rendering, and cuts the rendered prompt again."""

    def __init__(self, contents: SpecialTexts, answers: SpecialTexts) -> None:
        """`answers` are the special texts that not even the assistant's own past words may hold."""
        self._contents = contents
        self._answers = answers
        self._divider = ""

    def protect(self, messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return messages whose contents cannot become special tokens; harmless ones are as they were."""
        return [
            {
                key: value if key == "role" else self._walk(value, message["role"] == "assistant")
                for key, value in message.items()
            }
            for message in messages
        ]

    def protect_tools(self, tools: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]] | None:
        """Return the same for descriptions of tools, which may be a stranger's."""
        return None if tools is None else [self._walk(tool, own_words=False) for tool in tools]

    def pieces(self, prompt: str) -> list[str]:
        """Return the rendered prompt, cut where contents were broken; most often one piece."""
        return [piece for piece in prompt.split(self._divider) if piece] if self._divider else [prompt]

    def _walk(self, value: Any, own_words: bool) -> Any:
        if isinstance(value, str):
            texts = self._answers if own_words else self._contents
            if not texts.is_risky(value):
                return value
            if not self._divider:
                # Digits survive what templates do to strings: case, JSON, trimming. New ones for every prompt.
                self._divider = "".join(secrets.choice("0123456789") for _ in range(_DIGITS))
            return texts.broken(value, self._divider)
        if isinstance(value, Mapping):
            return {self._walk(key, own_words): self._walk(item, own_words) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._walk(item, own_words) for item in value]
        return value
