"""Where each argument of a call comes from, by DESIGN 5's table; what cannot be traced is the model's own.

Three rows, in this order: all words stand in the person's current message; a verbatim span of labelled values;
else the lowest of everything in the context. Whatever an argument could smuggle besides such words (their number,
their case, the space between them, keys, a long list of dictionary words) makes it the model's own.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from satchel.runtime.permissions.labels import Label, join

LEAST_SPAN = 6
"""Characters: shorter ones stand anywhere by chance ("13" in "June 13")."""
MOST_PARTS = 8
"""Values in one argument: each chosen span carries bits, and a list of thousands would carry a whole file."""
MOST_PARTS_OF_A_CALL = 24
"""In all of a call's arguments together, where a tool takes any number of them."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text that the model saw, with its label: a tool's result, a passage, a message."""

    text: str
    label: Label


@dataclass(frozen=True, slots=True)
class Sources:
    """What an argument can come from."""

    message: Labelled
    """The person's current message."""
    values: Sequence[Labelled]
    """Everything else in the context that has a label of its own."""
    context: Label
    """Join of all that the model saw: the label of what it writes itself."""


def label_arguments(arguments: Mapping[str, Any], sources: Sources) -> dict[str, Label]:
    """Return the label of each argument of a call; the names are the schema's, which tools check."""
    if sum(1 for value in arguments.values() for _ in _parts(value)) > MOST_PARTS_OF_A_CALL:
        return dict.fromkeys(arguments, sources.context)
    return {name: label_argument(value, sources) for name, value in arguments.items()}


def label_argument(value: Any, sources: Sources) -> Label:
    """Return the label of one JSON value; that of a list or an object is the join of its parts."""
    parts = list(_parts(value))
    if len(parts) > MOST_PARTS:
        return sources.context
    return join(_label_part(part, sources) for part in parts)


def _parts(value: Any) -> Iterator[Any]:
    """Yield the scalars in a JSON value, keys among them; an empty list or object is a value too."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Mapping) and each:
            waiting += [*each.keys(), *each.values()]
        elif isinstance(each, (list, tuple)) and each:
            waiting += each
        else:
            yield each


def _label_part(part: Any, sources: Sources) -> Label:
    text = _text(part)
    if text is None:
        return sources.context
    if stands_in_message(text, sources.message.text):
        return sources.message.label
    if len(text) >= LEAST_SPAN:
        held = [each.label for each in (sources.message, *sources.values) if has_span(each.text, text)]
        if held:
            return join(held)
    return sources.context


def _text(part: Any) -> str | None:
    """Return how a scalar stands in a text; None where it is no word (a truth value, null, an empty list)."""
    if isinstance(part, str):
        return part
    if isinstance(part, (int, float)) and not isinstance(part, bool) and math.isfinite(part):
        return str(part)
    return None


def stands_in_message(text: str, message: str) -> bool:
    """Say whether each word of `text` stands in `message` as a whole word, used no oftener than there.

    Words are parted by single spaces; a word may be in small letters where the message has capitals.
    """
    words = Counter(text.split(" "))
    if "" in words or len(text) > len(message):
        return False
    small = message.lower()
    return all(
        max(count_spans(message, word), count_spans(small, word) if word == word.lower() else 0) >= times
        for word, times in words.items()
    )


def has_span(text: str, span: str) -> bool:
    """Say whether `span` stands verbatim in `text`, beginning and ending at the borders of words."""
    return next(_spans(text, span), None) is not None


def count_spans(text: str, span: str) -> int:
    """Return how often `span` stands in `text` at the borders of words."""
    return sum(1 for _ in _spans(text, span))


def _spans(text: str, span: str) -> Iterator[int]:
    start = text.find(span)
    while start >= 0:
        end = start + len(span)
        if not (_joined(text[start - 1 : start], span[0]) or _joined(span[-1], text[end : end + 1])):
            yield start
        start = text.find(span, start + 1)


def _joined(left: str, right: str) -> bool:
    """Say whether no word ends between two characters; a missing one is empty."""
    return _in_word(left) and _in_word(right)


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_"
