"""Calls that were planned before anything untrusted came into the context: the person's, word for word.

A step that saw only the person's words and their own instructions writes down calls with all of their arguments. What
comes in later can change none of them: a call that is planned is judged by what the planner saw, each as often as it
was planned. A call that differs in one byte is not planned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from satchel.runtime.permissions.calls import Call, Situation
from satchel.runtime.permissions.labels import Integrity, Label


@dataclass(frozen=True, slots=True)
class Plan:
    """The planned calls of one turn that were not made yet."""

    situation: Situation
    """What the planner saw."""
    digests: tuple[str, ...] = ()

    def holds(self, call: Call) -> bool:
        """Say whether exactly this call was planned and not made yet."""
        return call.digest in self.digests

    def judged(
        self, call: Call, arguments: Mapping[str, Label], situation: Situation
    ) -> tuple[Mapping[str, Label], Situation]:
        """Return the labels and the situation by which `decide` judges a call: the planner's for a planned one."""
        if not self.holds(call):
            return arguments, situation
        planned = replace(self.situation, now=situation.now)
        return dict.fromkeys(call.arguments, self.situation.context), planned

    def without(self, call: Call) -> Plan:
        """Return the plan after a planned call was made."""
        left = Counter(self.digests)
        left.subtract([call.digest])
        return replace(self, digests=tuple(left.elements()))


def plan_calls(calls: Iterable[Call], situation: Situation) -> Plan:
    """Return the plan of a turn; an empty one where the planner saw more than the person's own words."""
    if situation.context.integrity is not Integrity.USER:
        return Plan(situation)
    return Plan(situation, tuple(call.digest for call in calls))
