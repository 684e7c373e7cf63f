"""Standing approvals: a person's answer given beforehand, so that an assistant can work unattended."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any

import msgspec

from satchel.runtime.permissions.calls import Call, canonical
from satchel.runtime.permissions.errors import StandingApprovalError

ANSWERED = "once"
"""The approval that an `Allow` rests on after a person answered the request itself; no standing one has this name."""
MOST_FREE_CHARACTERS = 2000

_NAME = r"\A[a-z0-9][a-z0-9-]{0,63}\Z"


class Free(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The one argument that may differ from use to use, and how long its text may be."""

    argument: str
    characters: Annotated[int, msgspec.Meta(ge=1, le=MOST_FREE_CHARACTERS)]


class StandingApproval(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One tool, one exact destination, every argument as it is but at most one, until a date; for one pack id."""

    name: Annotated[str, msgspec.Meta(pattern=_NAME)]
    pack_id: str
    tool: str
    function: str = ""
    """Which of the tool's functions."""
    destinations: tuple[str, ...]
    """Exactly the places that the call sends to, sorted; empty for a call that sends nothing."""
    address: str = ""
    """The exact address, where the call chooses one."""
    arguments: dict[str, Any]
    """Every argument but the free one, with its exact value."""
    free: Free | None = None
    until: float
    """Seconds since 1970; it ends then."""

    def covers(self, call: Call, now: float) -> bool:
        """Say whether `call` is one of those that the person answered for."""
        if now >= self.until or (call.tool, call.function) != (self.tool, self.function):
            return False
        if tuple(sorted(call.effect.destinations)) != self.destinations or call.effect.address != self.address:
            return False
        arguments = dict(call.arguments)
        if self.free is not None:
            text = arguments.pop(self.free.argument, None)
            if not isinstance(text, str) or len(text) > self.free.characters:
                return False
        return canonical(arguments) == canonical(self.arguments)


def make_standing_approval(
    *, name: str, pack_id: str, call: Call, free: str = "", characters: int = 0, until: float, now: float
) -> StandingApproval:
    """Approve calls like `call` until a date, with the argument `free` left open up to so many characters.

    Raises:
        StandingApprovalError: says what is missing or too wide.
    """
    if not re.fullmatch(_NAME, name):
        raise StandingApprovalError(reason=f'the name "{ascii(name[:80])[1:-1]}" is not of small letters, digits and -')
    if name == ANSWERED:
        raise StandingApprovalError(reason=f'"{ANSWERED}" is the name of an answer to a single request')
    if not now < until < math.inf:
        raise StandingApprovalError(reason="its end is no date to come")
    if free and not isinstance(call.arguments.get(free), str):
        raise StandingApprovalError(reason=f'"{free}" is no text among the arguments')
    if free and not 1 <= characters <= MOST_FREE_CHARACTERS:
        raise StandingApprovalError(reason=f"the free argument needs a limit of 1 to {MOST_FREE_CHARACTERS} characters")
    return StandingApproval(
        name=name,
        pack_id=pack_id,
        tool=call.tool,
        function=call.function,
        destinations=tuple(sorted(call.effect.destinations)),
        address=call.effect.address,
        arguments={key: value for key, value in call.arguments.items() if key != free},
        free=Free(free, characters) if free else None,
        until=until,
    )
