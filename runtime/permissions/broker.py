"""The one choke point: may this call go ahead? Pure and total; it knows nothing of models and their manners.

The order is DESIGN 5's: deny what the pack did not request or a grant forbids; ask if the rule holds and the person
has not answered for this call beforehand; allow what is granted; else ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from satchel.runtime.permissions.calls import Call, Situation
from satchel.runtime.permissions.capabilities import Requests
from satchel.runtime.permissions.grants import Grants
from satchel.runtime.permissions.labels import LOWEST, Label, join
from satchel.runtime.permissions.places import parse_address


class Rule(StrEnum):
    """Which part of the rule makes a call one that is never automatic; `GRANT` when it only lacks a grant."""

    STATE = "a"
    READERS = "b"
    ADDRESS = "c"
    GRANT = "grant"


@dataclass(frozen=True, slots=True)
class Allow:
    """The call may go ahead; `approval` names the standing approval or the answer that it rests on, if any."""

    why: str
    approval: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """A person has to say yes to exactly this call."""

    why: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class Deny:
    """The call may not go ahead, whoever asks."""

    why: str


Decision = Allow | Ask | Deny


def decide(
    requests: Requests, grants: Grants, call: Call, arguments: Mapping[str, Label], situation: Situation
) -> Decision:
    """Decide about one call.

    `arguments` has the label of each argument by its name (`provenance.py`); one that has none counts as lowest.
    """
    if not requests.allow(call.tool, call.needs):
        return Deny(f"the assistant did not ask for it when it was made: {_powers(call)}")
    if forbidden := grants.forbidding(call.tool, call.needs):
        return Deny(f"you said never: {forbidden}")
    if approval := grants.approval_of(call, situation.now):
        return Allow(f"you said yes to it beforehand ({approval})", approval=approval)
    if asked := _rule(grants, call, arguments, situation):
        return asked
    if not grants.allow(call.tool, call.needs):
        return Ask(f"you have not allowed it yet: {_powers(call)}", Rule.GRANT)
    return Allow("you allowed it, and nothing in this chat speaks against it")


def _rule(grants: Grants, call: Call, arguments: Mapping[str, Label], situation: Situation) -> Ask | None:
    """Return why a call is not automatic, however it is granted."""
    untrusted = situation.context.untrusted
    effect = call.effect
    if untrusted and effect.changes_state:
        return Ask("it changes something, and this chat holds text that other people may have written", Rule.STATE)
    if untrusted or situation.received:
        sent = {name: arguments.get(name, LOWEST) for name in call.arguments}
        readers = join(sent.values()).readers
        for place in effect.destinations:
            if not readers.include(place):
                names = ", ".join(sorted(name for name, label in sent.items() if not label.readers.include(place)))
                return Ask(f"it would tell {place} what it may not know ({names})", Rule.READERS)
    if untrusted and effect.address and not _chosen_by_the_person(grants, effect.address, situation):
        return Ask(f"nobody but the model chose the address {effect.address}", Rule.ADDRESS)
    return None


def _chosen_by_the_person(grants: Grants, address: str, situation: Situation) -> bool:
    """Say whether an address was typed, confirmed, found by the search tool, or lies at a place that a grant names."""
    if address in situation.typed_addresses or address in situation.search_links:
        return True
    parsed = parse_address(address)
    return parsed is not None and parsed.place in grants.named_places


def _powers(call: Call) -> str:
    return ", ".join(need.in_words for need in call.needs) or f"the tool {call.tool}"
