"""What a person allowed and forbade, as the broker sees it at one moment of one chat."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from satchel.runtime.permissions.calls import Call
from satchel.runtime.permissions.capabilities import Capability, Requests
from satchel.runtime.permissions.standing import ANSWERED, StandingApproval


class Choice(StrEnum):
    """How a person answers a request."""

    ONCE = "once"
    """This call alone."""
    CHAT = "chat"
    """Until this chat ends; kept nowhere."""
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """A power of one tool; no capability: the tool itself, for tools that need no power."""

    tool: str
    capability: Capability | None = None

    def __str__(self) -> str:
        return self.capability.in_words if self.capability else f"use {self.tool}"


@dataclass(frozen=True, slots=True)
class Grants:
    """Everything the person has said that counts for one chat of one assistant. Nothing said: nothing allowed."""

    allowed: frozenset[Grant] = frozenset()
    """Of this chat and for always."""
    never: frozenset[Grant] = frozenset()
    """These win over what is allowed."""
    answered: frozenset[str] = frozenset()
    """Digests of calls that the person just said yes to; each is taken out when it is used."""
    standing: tuple[StandingApproval, ...] = ()
    """Those of this pack id."""

    def allow(self, tool: str, needed: Iterable[Capability]) -> bool:
        """Say whether everything that a call needs is granted."""
        held = [grant.capability for grant in self.allowed if grant.tool == tool]
        wanted = tuple(needed)
        if not wanted:
            return bool(held)
        return all(any(each is not None and each.covers(need) for each in held) for need in wanted)

    def forbidding(self, tool: str, needed: Iterable[Capability]) -> Grant | None:
        """Return what the person forbade and a call would need; in either direction, so that no width slips by."""
        wanted = tuple(needed)
        for grant in sorted(self.never, key=str):
            if grant.tool == tool and (
                grant.capability is None
                or any(grant.capability.covers(need) or need.covers(grant.capability) for need in wanted)
            ):
                return grant
        return None

    def approval_of(self, call: Call, now: float) -> str:
        """Return what answered a call beforehand: "once", a standing approval's name, or nothing."""
        if call.digest in self.answered:
            return ANSWERED
        return next((each.name for each in self.standing if each.covers(call, now)), "")

    @property
    def named_places(self) -> frozenset[str]:
        """The places that a grant names: what the person types may go there."""
        capabilities = (grant.capability for grant in self.allowed)
        return frozenset(place for each in capabilities if each and (place := each.named_place))

    def with_answer(self, call: Call, choice: Choice) -> Grants:
        """Return the grants after the person answered the request for `call`."""
        powers = grants_for(call)
        if choice is Choice.NEVER:
            return replace(self, never=self.never | powers)
        answered = self.answered | {call.digest}
        if choice is Choice.ONCE:
            return replace(self, answered=answered)
        return replace(self, allowed=self.allowed | powers, answered=answered)

    def without_answer(self, call: Call) -> Grants:
        """Return the grants after an answered call was made: the answer is used up."""
        return replace(self, answered=self.answered - {call.digest})


def grants_for(call: Call) -> frozenset[Grant]:
    """Return what "always" grants, and "never" forbids, in answer to a request for `call`."""
    return frozenset(Grant(call.tool, need) for need in call.needs) or frozenset({Grant(call.tool)})


def ticked(requests: Requests) -> Grants:
    """Return the grants of one's own project: ticking a tool there grants what it asks for."""
    return Grants(
        allowed=frozenset(
            grant
            for tool, capabilities in requests.tools.items()
            for grant in ([Grant(tool, each) for each in capabilities] or [Grant(tool)])
        )
    )
