"""What a person is shown before they answer: the exact bytes and destination, and why it asks.

Control, invisible and direction-changing characters are escaped, so that what is shown is what is sent.
"""

from __future__ import annotations

import json
import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from satchel.runtime.permissions.broker import Ask, Rule
from satchel.runtime.permissions.calls import Call
from satchel.runtime.permissions.grants import Choice
from satchel.runtime.permissions.labels import LOWEST, Label

# Marks of width zero, fillers and variation selectors that are no control characters to Unicode but show as nothing.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufffc")
_SHORT = {"\\": "\\\\", "\n": "\\n", "\t": "\\t"}
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class ShownArgument:
    """One argument as it is shown; `text` is escaped and complete."""

    name: str
    text: str
    leaves: bool
    """Whether it goes to the destinations."""
    secret: bool
    """Whether it holds what at least one of the destinations may not know."""


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """A question to a person; terminal and window show the same one."""

    id: str
    tool: str
    """The tool's function that would be called."""
    arguments: tuple[ShownArgument, ...]
    destinations: tuple[str, ...]
    """Empty: nothing leaves this computer."""
    powers: tuple[str, ...]
    """What a grant would let happen, in words."""
    why: str
    rule: Rule
    choices: tuple[Choice, ...]
    """Answers that help: a call that the rule stops is never automatic, so that "always" is not among them."""
    digest: str
    """Of the call that the answer is for."""

    @property
    def leaving(self) -> tuple[ShownArgument, ...]:
        """The data that would leave this computer."""
        return tuple(each for each in self.arguments if each.leaves)


def approval_request(call: Call, asked: Ask, labels: Mapping[str, Label]) -> ApprovalRequest:
    """Return what is shown for a call that the broker asks about."""
    places = call.effect.destinations
    return ApprovalRequest(
        id=uuid.uuid4().hex,
        tool=escaped(call.function or call.tool),
        arguments=tuple(
            _shown(name, value, labels.get(name, LOWEST), places) for name, value in call.arguments.items()
        ),
        destinations=tuple(escaped(each) for each in (*call.effect.sends_to, call.effect.address) if each),
        powers=tuple(escaped(need.in_words) for need in call.needs),
        why=escaped(asked.why),
        rule=asked.rule,
        choices=tuple(Choice) if asked.rule is Rule.GRANT else (Choice.ONCE, Choice.NEVER),
        digest=call.digest,
    )


def escaped(text: str) -> str:
    r"""Return `text` with each character that hides or moves others as `\u202e`; a backslash as two."""
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    hidden = (
        unicodedata.category(character) in _HIDDEN_CATEGORIES
        or character in _INVISIBLE
        or "VARIATION SELECTOR" in unicodedata.name(character, "")
    )
    if not hidden and (character == " " or not character.isspace()):
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - the last of Unicode's first plane


def _shown(name: str, value: Any, label: Label, places: tuple[str, ...]) -> ShownArgument:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return ShownArgument(
        name=escaped(name),
        text=escaped(text),
        leaves=bool(places),
        secret=any(not label.readers.include(place) for place in places),
    )
