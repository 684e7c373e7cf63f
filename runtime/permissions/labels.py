"""Labels: how far a value can be relied on, and who may read it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import msgspec


class Integrity(IntEnum):
    """Whose words these are; a higher one may steer more."""

    UNTRUSTED = 0
    PACK = 1
    USER = 2


@dataclass(frozen=True, slots=True)
class Readers:
    """Who may read a value: the person always, and either everyone or the named places."""

    everyone: bool = False
    places: frozenset[str] = frozenset()
    """Network places in the spelling of `places.py`; empty when everyone may."""

    def include(self, place: str) -> bool:
        """Say whether a value may go to `place`."""
        return self.everyone or place in self.places

    def shared_with(self, other: Readers) -> Readers:
        """Return who may read both of two values."""
        if self.everyone:
            return other
        if other.everyone:
            return self
        return Readers(places=self.places & other.places)


EVERYONE = Readers(everyone=True)
PERSON_ALONE = Readers()


def only(*places: str) -> Readers:
    """Return the person and the places given."""
    return Readers(places=frozenset(places))


@dataclass(frozen=True, slots=True)
class Label:
    """A value's integrity and readers."""

    integrity: Integrity
    readers: Readers

    @property
    def untrusted(self) -> bool:
        """Whether the value comes from somebody who is neither the person nor an accepted author."""
        return self.integrity is Integrity.UNTRUSTED

    def joined(self, other: Label) -> Label:
        """Return the label of what is made from two values: the lower integrity, the readers of both."""
        return Label(min(self.integrity, other.integrity), self.readers.shared_with(other.readers))


HIGHEST = Label(Integrity.USER, EVERYONE)
"""Of nothing at all: joined with a label, it gives that label."""
LOWEST = Label(Integrity.UNTRUSTED, PERSON_ALONE)
"""Of what nobody vouches for; what has no label has this one."""


def join(labels: Iterable[Label]) -> Label:
    """Return the label of what is made from all of them."""
    result = HIGHEST
    for label in labels:
        result = result.joined(label)
    return result


# The rows of DESIGN 5's table whose labels do not depend on a tool; `label_table.py` has the tools'.


def typed_label(named_places: Iterable[str]) -> Label:
    """What the person types, picks or confirms, and instructions and examples of their own project.

    `named_places` are the destinations granted by name to this assistant (`Grants.named_places`).
    """
    return Label(Integrity.USER, only(*named_places))


def knowledge_label(*, trusted: bool, public: bool) -> Label:
    """A knowledge file with its author's two ticks."""
    integrity = Integrity.PACK if trusted else Integrity.UNTRUSTED
    return Label(integrity, EVERYONE if public else PERSON_ALONE)


RECEIVED_PACK = Label(Integrity.PACK, EVERYONE)
"""A received pack's instructions and examples."""
ATTACHED_FILE = LOWEST
"""A file attached to a chat: untrusted, the person alone."""
WEB = Label(Integrity.UNTRUSTED, EVERYONE)
"""Web pages and search results."""


def result_of(place: str) -> Label:
    """Results and descriptions of actions and MCP servers that have no committed label of their own."""
    return Label(Integrity.UNTRUSTED, only(place))


class StoredLabel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A label as history, memory and artefacts keep it; an unreadable one counts as the lowest."""

    integrity: str
    everyone: bool
    places: tuple[str, ...]


def stored(label: Label) -> dict[str, Any]:
    """Return plain values for a JSON document."""
    readers = label.readers
    return {"integrity": label.integrity.name.lower(), "everyone": readers.everyone, "places": sorted(readers.places)}


def restored(document: Any) -> Label:
    """Return the label that `stored` wrote; `LOWEST` for anything else, so that damage only ever costs a question."""
    try:
        kept = msgspec.convert(document, StoredLabel)
        integrity = Integrity[kept.integrity.upper()]
    except (msgspec.ValidationError, KeyError):
        return LOWEST
    return Label(integrity, EVERYONE if kept.everyone else only(*kept.places))
