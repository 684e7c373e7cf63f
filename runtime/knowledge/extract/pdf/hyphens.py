"""Words cut at the end of a line, put together again: with their hyphen where it belongs to the word."""

# ruff: noqa: RUF001 - the apostrophe of print

from __future__ import annotations

import re
from collections.abc import Iterable

_TOKEN = re.compile(r"[^\w'’-]+")
_LAST_PART = re.compile(r"[\w'’-]+(?=-$)")
_FIRST_PART = re.compile(r"[\w'’-]+")
# "Vor- und Nachteile", "two- or threefold": the hyphen stands for a word that comes later.
_CONJUNCTIONS = frozenset("and or to und oder bis et ou y o e och eller en of".split())  # noqa: SIM905 - words, easier to read in a row
_LEAST_PART = 3


class Hyphens:
    """Decides by the words of the document itself, which is right for its language and its terms."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = texts
        self._words: set[str] | None = None

    def join(self, left: str, right: str) -> str:
        """Return a text that ends in a hyphen and the one that follows it as one."""
        before, after = _LAST_PART.search(left), _FIRST_PART.match(right)
        if before is None or after is None:
            return f"{left}{right}"
        if after[0] in _CONJUNCTIONS:
            return f"{left} {right}"
        return f"{left}{right}" if self._keeps_hyphen(before[0], after[0]) else f"{left[:-1]}{right}"

    def _keeps_hyphen(self, before: str, after: str) -> bool:
        if (
            not before[-1].isalpha()
            or not after[0].isalpha()
            or after[0].isupper()
            or (before.isupper() and len(before) > 1)
        ):
            return True
        if self._words is None:
            self._words = set(_TOKEN.split(" ".join(self._texts).casefold()))
        before, after = before.casefold(), after.casefold()
        if before + after in self._words:
            return False
        if f"{before}-{after}" in self._words:
            return True
        return min(len(before), len(after)) >= _LEAST_PART and before in self._words and after in self._words
