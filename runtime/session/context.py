"""What goes into the context window, and in which order things give way (DESIGN 3.1).

Pure arithmetic over token counts: oldest history first, then the lowest passages, then memory;
instructions, tools and the question always stay, or the turn is refused with the sums.
"""

from __future__ import annotations

from dataclasses import dataclass

from satchel.runtime.session.errors import ContextTooSmallError


@dataclass(frozen=True, slots=True)
class ContextDemand:
    """Token counts of everything that wants a place; lists are in the order in which they appear."""

    instructions: int
    """Instructions, rules and few-shot examples."""
    tools: int
    question: int
    answer_reserve: int
    """Tokens kept free for the answer."""
    history: tuple[int, ...] = ()
    """One entry a past exchange (question and answer), oldest first."""
    passages: tuple[int, ...] = ()
    """Best first."""
    memory: int = 0


@dataclass(frozen=True, slots=True)
class ContextPlan:
    """What was given a place; the rest was left out."""

    window: int
    history_dropped: int
    """How many of the oldest exchanges give way."""
    passages_kept: int
    """How many of the best passages stay."""
    memory_kept: bool
    instructions: int
    tools: int
    question: int
    history: int
    passages: int
    memory: int
    answer_reserve: int

    @property
    def used(self) -> int:
        """Tokens of the prompt."""
        return self.instructions + self.tools + self.question + self.history + self.passages + self.memory

    @property
    def free(self) -> int:
        """What is left for the answer."""
        return self.window - self.used


def plan_context(demand: ContextDemand, window: int) -> ContextPlan:
    """Fit the demand into `window` tokens.

    Raises:
        ContextTooSmallError: instructions, tools, question and a minimal answer alone are too much; carries the sums.
    """
    fixed = demand.instructions + demand.tools + demand.question
    reserve = min(demand.answer_reserve, max(16, window // 4))
    room = window - fixed - reserve
    if room < 0:
        sums = (
            f"{demand.instructions} tokens of instructions + {demand.tools} of tools + {demand.question} of question "
            f"+ {reserve} for the answer = {fixed + reserve}"
        )
        raise ContextTooSmallError(sums=sums, context=window)
    wanted = sum(demand.history) + sum(demand.passages) + demand.memory
    dropped, kept, memory = 0, len(demand.passages), demand.memory
    while wanted > room and dropped < len(demand.history):
        wanted -= demand.history[dropped]
        dropped += 1
    while wanted > room and kept:
        kept -= 1
        wanted -= demand.passages[kept]
    if wanted > room:
        memory = 0
    return ContextPlan(
        window=window,
        history_dropped=dropped,
        passages_kept=kept,
        memory_kept=memory == demand.memory,
        instructions=demand.instructions,
        tools=demand.tools,
        question=demand.question,
        history=sum(demand.history[dropped:]),
        passages=sum(demand.passages[:kept]),
        memory=memory,
        answer_reserve=reserve,
    )
