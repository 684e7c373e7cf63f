"""The context window: nothing above it, and what gives way in which order, for any demand at all."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from satchel.runtime.session.context import ContextDemand, ContextPlan, plan_context
from satchel.runtime.session.errors import ContextTooSmallError

TOKENS = st.integers(0, 3000)
DEMANDS = st.builds(
    ContextDemand,
    instructions=TOKENS,
    tools=TOKENS,
    question=TOKENS,
    answer_reserve=TOKENS,
    history=st.lists(TOKENS, max_size=12).map(tuple),
    passages=st.lists(TOKENS, max_size=12).map(tuple),
    memory=TOKENS,
)
WINDOWS = st.integers(0, 20_000)


def fixed(demand: ContextDemand) -> int:
    return demand.instructions + demand.tools + demand.question


def planned(demand: ContextDemand, window: int) -> ContextPlan:
    try:
        return plan_context(demand, window)
    except ContextTooSmallError:
        assume(False)
        raise


def test_a_demand_that_fits_is_given_all_it_wants():
    demand = ContextDemand(100, 20, 30, 200, history=(40, 50), passages=(60, 70), memory=10)

    plan = plan_context(demand, 1000)

    assert (plan.history_dropped, plan.passages_kept, plan.memory_kept) == (0, 2, True)
    assert (plan.used, plan.free) == (380, 620)


def test_the_oldest_exchanges_go_first_then_the_lowest_passages_then_memory():
    demand = ContextDemand(10, 0, 10, 16, history=(30, 30), passages=(25, 25), memory=15)

    def gave_way(window: int) -> tuple[int, int, bool]:
        plan = plan_context(demand, window)
        return plan.history_dropped, plan.passages_kept, plan.memory_kept

    assert [gave_way(window) for window in (161, 160, 130, 101, 100, 75, 50)] == [
        (0, 2, True),
        (1, 2, True),
        (2, 2, True),
        (2, 2, True),
        (2, 1, True),
        (2, 0, True),
        (2, 0, False),
    ]


def test_what_always_stays_and_does_not_fit_is_refused_with_the_sums():
    demand = ContextDemand(instructions=700, tools=50, question=300, answer_reserve=512, passages=(9,))

    with pytest.raises(ContextTooSmallError) as raised:
        plan_context(demand, 1024)

    assert raised.value.message == (
        "The question does not fit: 700 tokens of instructions + 50 of tools + 300 of question "
        "+ 256 for the answer = 1306; the window holds 1024 tokens."
    )


def test_the_answers_reserve_never_takes_more_than_a_quarter_of_the_window():
    assert plan_context(ContextDemand(10, 0, 10, 5000), 1000).answer_reserve == 250
    assert plan_context(ContextDemand(0, 0, 0, 5000), 16).answer_reserve == 16
    assert plan_context(ContextDemand(0, 0, 0, 8), 1000).answer_reserve == 8


@given(DEMANDS, WINDOWS)
def test_prompt_and_reserve_never_exceed_the_window(demand, window):
    plan = planned(demand, window)

    assert plan.used + plan.answer_reserve <= window
    assert plan.free >= plan.answer_reserve


@given(DEMANDS, WINDOWS)
def test_the_sums_are_those_of_what_was_kept(demand, window):
    plan = planned(demand, window)

    assert (plan.instructions, plan.tools, plan.question) == (demand.instructions, demand.tools, demand.question)
    assert plan.history == sum(demand.history[plan.history_dropped :])
    assert plan.passages == sum(demand.passages[: plan.passages_kept])
    assert plan.memory == (demand.memory if plan.memory_kept else 0)
    assert plan.used == fixed(demand) + plan.history + plan.passages + plan.memory


@given(DEMANDS, WINDOWS)
def test_nothing_gives_way_while_what_goes_before_it_is_still_there(demand, window):
    plan = planned(demand, window)

    if plan.passages_kept < len(demand.passages):
        assert plan.history_dropped == len(demand.history)
    if not plan.memory_kept:
        assert plan.passages_kept == 0
        assert plan.history_dropped == len(demand.history)


@given(DEMANDS, WINDOWS)
def test_nothing_gives_way_without_need(demand, window):
    plan = planned(demand, window)
    left = plan.free - plan.answer_reserve

    if not plan.memory_kept:
        assert demand.memory > left
    elif plan.passages_kept < len(demand.passages):
        assert demand.passages[plan.passages_kept] > left
    elif plan.history_dropped:
        assert demand.history[plan.history_dropped - 1] > left


@given(DEMANDS, WINDOWS)
def test_a_turn_is_refused_exactly_when_what_always_stays_leaves_no_room_for_an_answer(demand, window):
    reserve = min(demand.answer_reserve, max(16, window // 4))
    fits = fixed(demand) + reserve <= window

    if fits:
        assert plan_context(demand, window).window == window
    else:
        with pytest.raises(ContextTooSmallError, match=f"= {fixed(demand) + reserve}; the window holds {window} "):
            plan_context(demand, window)


@given(DEMANDS, WINDOWS, st.integers(0, 5000))
def test_a_larger_window_never_holds_less(demand, window, more):
    smaller, larger = planned(demand, window), planned(demand, window + more)
    assume(smaller.answer_reserve == larger.answer_reserve)

    assert larger.history_dropped <= smaller.history_dropped
    assert larger.passages_kept >= smaller.passages_kept
    assert larger.memory_kept >= smaller.memory_kept


def test_a_chat_of_a_hundred_thousand_exchanges_is_planned():
    plan = plan_context(ContextDemand(0, 0, 0, 16, history=(10,) * 100_000), 4096)

    assert plan.history == 4080
