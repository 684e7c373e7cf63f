"""A model that nobody asks is unloaded, and never while it speaks."""

from __future__ import annotations

import threading

from satchel.runtime.session.idle import IdleTimer


def test_what_is_not_used_for_a_while_is_unloaded_once() -> None:
    unloaded = threading.Event()
    timer = IdleTimer(0.01, unloaded.set)
    with timer.used():
        pass
    assert unloaded.wait(5)
    timer.close()


def test_while_it_is_used_nothing_is_unloaded_however_long_it_takes() -> None:
    unloaded = threading.Event()
    timer = IdleTimer(0.01, unloaded.set)
    with timer.used():
        pass
    with timer.used():
        unloaded.clear()
        assert not unloaded.wait(0.1)
    assert unloaded.wait(5)
    timer.close()


def test_zero_seconds_keep_it_for_ever() -> None:
    unloaded = threading.Event()
    timer = IdleTimer(0, unloaded.set)
    with timer.used():
        pass
    assert not unloaded.wait(0.05)
    timer.close()


def test_closing_stops_the_wait() -> None:
    unloaded = threading.Event()
    timer = IdleTimer(60, unloaded.set)
    with timer.used():
        pass
    timer.close()
    assert not unloaded.is_set()
    assert not any(isinstance(thread, threading.Timer) for thread in threading.enumerate())
