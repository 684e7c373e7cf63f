"""What the broker is asked about: one call with its effect, and what is known of the chat around it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from satchel.runtime.permissions.capabilities import Capability
from satchel.runtime.permissions.labels import Label
from satchel.runtime.permissions.places import parse_address


@dataclass(frozen=True, slots=True)
class Effect:
    """What a call does beyond its answer, as the tool's committed label table says; never as the model says."""

    changes_state: bool = False
    """Writes outside the chat's own scratch folder, or calls an action that is not read-only."""
    sends_to: tuple[str, ...] = ()
    """Places that get to see the arguments: GET and DNS count. Network places, or a recipient such as `mailto:…`."""
    address: str = ""
    """The address that it goes to when the call itself chooses one, as `Address.text` spells it."""

    @property
    def destinations(self) -> tuple[str, ...]:
        """Every place that gets to see the arguments, the address's own included."""
        if not self.address:
            return self.sends_to
        address = parse_address(self.address)
        place = address.place if address else self.address
        return self.sends_to if place in self.sends_to else (*self.sends_to, place)


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call: what the model wants, what it needs, what it would do."""

    tool: str
    arguments: Mapping[str, Any]
    """JSON values, as they will be given to the tool."""
    needs: tuple[Capability, ...] = ()
    """Powers with their exact arguments: `net.fetch https://example.org`, not `net.fetch`."""
    effect: Effect = field(default_factory=Effect)
    function: str = ""
    """Which of the tool's functions: reading a thing and deleting it may take the same arguments."""

    @property
    def digest(self) -> str:
        """SHA-256 of everything a person is shown: an answer to one call answers no other."""
        effect = self.effect
        shown = [
            *(self.tool, self.function, dict(self.arguments), sorted(map(str, self.needs))),
            *(effect.changes_state, effect.sends_to, effect.address),
        ]
        return hashlib.sha256(canonical(shown)).hexdigest()


@dataclass(frozen=True, slots=True)
class Situation:
    """The session's labels: what the chat holds at the moment of the call, or held when the call was planned."""

    context: Label
    """Join of everything that the model saw."""
    received: bool
    """Whether the pack is another person's, and not a project of one's own."""
    typed_addresses: frozenset[str] = frozenset()
    """Addresses that the person typed or confirmed in this chat (`addresses_in`)."""
    search_links: frozenset[str] = frozenset()
    """Links exactly as the search tool returned them in this chat."""
    now: float = 0.0
    """Seconds since 1970, for the end of standing approvals."""


def canonical(value: Any) -> bytes:
    """Return the one spelling of a JSON value; to Python, 1, True and 1.0 are equal, here they are not.

    Not msgspec, which refuses integers beyond 64 bits and lone surrogates: a model can write both.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
