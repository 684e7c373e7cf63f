"""The number of decoding threads follows the load of the machine; here the machine is described."""

from __future__ import annotations

from satchel.runtime.engine.threads import DecodeThreads

SPEED = {1: 50.0, 2: 90.0, 4: 160.0, 8: 280.0}


def _decode(threads: DecodeThreads, tokens: int, *, free_cores: float) -> list[int]:
    """Decode on a machine where only some cores are free: threads beyond them make every barrier wait."""
    used = []
    for _ in range(tokens):
        now = threads.now
        if now <= free_cores or now == 1:
            seconds, processor = 1 / SPEED[now], 0.97 * now / SPEED[now]
        else:
            seconds, processor = 0.2, 0.2 * free_cores * 0.9
        threads.observe(seconds, processor)
        used.append(now)
    return used


def test_an_idle_machine_keeps_all_threads() -> None:
    assert set(_decode(DecodeThreads(8), 500, free_cores=8)) == {8}


def test_a_crowded_machine_soon_decodes_with_one_but_for_a_rare_try() -> None:
    used = _decode(DecodeThreads(2), 40, free_cores=0.5)
    assert used.index(1) <= 4
    assert used[4:].count(2) <= 2


def test_threads_stay_at_what_is_free() -> None:
    used = _decode(DecodeThreads(8), 400, free_cores=4)
    assert used[-1] == 4
    assert used.count(8) < 20


def test_threads_come_back_when_the_machine_is_idle_again() -> None:
    threads = DecodeThreads(8)
    _decode(threads, 40, free_cores=1)
    assert threads.now == 1
    assert _decode(threads, 120, free_cores=8)[-1] == 8


def test_a_try_that_failed_is_repeated_ever_more_rarely() -> None:
    used = _decode(DecodeThreads(2), 2000, free_cores=1)
    tries = [number for number in range(1, len(used)) if used[number] == 2 and used[number - 1] == 1]
    assert 1 < len(tries) < 15
    assert tries[-1] - tries[-2] > tries[1] - tries[0]


def test_one_core_has_nothing_to_choose() -> None:
    assert set(_decode(DecodeThreads(1), 100, free_cores=0.3)) == {1}
