"""The committed label table of Satchel's own tools: what each one's call does, and how its result is labelled.

The broker believes this table alone, never a model, a pack or a server. A tool that is not in it changes things, and
its result has the lowest label.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from satchel.runtime.permissions.calls import Effect
from satchel.runtime.permissions.labels import HIGHEST, LOWEST, WEB, Label, join, result_of


class Origin(Enum):
    """Where a result comes from, and so which label it has."""

    MACHINE = "machine"
    """This machine itself, nothing secret: user, everyone."""
    PERSON = "person"
    """What the person types or picks."""
    ARGUMENTS = "arguments"
    """Nothing but its arguments, and what the tool was given before and kept."""
    STORED = "stored"
    """As it was when it was written: memory, knowledge."""
    FILE = "file"
    """A file of this computer: untrusted, the person alone."""
    WEB = "web"
    """Web pages, search results: untrusted, everyone."""
    PLACE = "place"
    """A service: untrusted, the place that it came from."""


@dataclass(frozen=True, slots=True)
class Row:
    """One function that the model can call."""

    result: Origin
    changes_state: bool = False
    sends: bool = False
    """Reaches the network: its arguments go to the places that the call names."""


TABLE: Mapping[str, Row] = MappingProxyType(
    {
        "calculator": Row(Origin.ARGUMENTS),
        "clock": Row(Origin.MACHINE),
        "ask_user": Row(Origin.PERSON),
        "search_knowledge": Row(Origin.STORED),
        "python": Row(Origin.ARGUMENTS),  # in the sandbox, without network; its files stay in the chat's scratch folder
        "image": Row(Origin.ARGUMENTS),  # drawn by the interpreter; an image endpoint is `image_endpoint`
        "image_endpoint": Row(Origin.PLACE, sends=True),
        "web_search": Row(Origin.WEB, sends=True),
        "web_fetch": Row(Origin.WEB, sends=True),
        "files_list": Row(Origin.FILE),
        "files_read": Row(Origin.FILE),
        "files_write": Row(Origin.ARGUMENTS, changes_state=True),
        "memory_recall": Row(Origin.STORED),
        "memory_write": Row(Origin.ARGUMENTS, changes_state=True),  # it outlives the chat
        "http_action": Row(Origin.PLACE, changes_state=True, sends=True),
        "http_action_read": Row(Origin.PLACE, sends=True),  # GET and HEAD of an OpenAPI document that a person imported
        "mcp": Row(Origin.PLACE, changes_state=True, sends=True),  # a server's `readOnlyHint` is its own word
    }
)

UNKNOWN = Row(Origin.PLACE, changes_state=True, sends=True)


def effect_of(function: str, *, places: Iterable[str] = (), address: str = "") -> Effect:
    """Return what a call of `function` does; `places` and `address` are where it would go."""
    row = TABLE.get(function, UNKNOWN)
    if not row.sends:
        return Effect(changes_state=row.changes_state)
    return Effect(changes_state=row.changes_state, sends_to=tuple(places), address=address)


def label_result(
    function: str,
    arguments: Iterable[Label],
    *,
    typed: Label,
    kept: Iterable[Label] = (),
    places: Iterable[str] = (),
) -> Label:
    """Return the label of a call's result.

    `kept`: labels of what the tool held before (the interpreter's variables, the notes and passages found);
    `places`: where the answer came from.
    """
    origin = TABLE.get(function, UNKNOWN).result
    if origin is Origin.ARGUMENTS:
        return join((*arguments, *kept))
    if origin is Origin.STORED:
        return join(kept)
    if origin is Origin.PLACE:
        return join(map(result_of, places)) if (places := tuple(places)) else LOWEST
    return {Origin.MACHINE: HIGHEST, Origin.PERSON: typed, Origin.FILE: LOWEST, Origin.WEB: WEB}[origin]
