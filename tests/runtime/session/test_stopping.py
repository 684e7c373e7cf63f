"""Turns that are stopped from outside, though their worker does not listen."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.deaf_knowledge_service import FOR_EVER
from helpers.python_processes import TESTS

from satchel.runtime.commands.answer import AnswerOptions, events_within, open_session
from satchel.runtime.commands.time_limit import TimeLimit
from satchel.runtime.errors import OutOfTimeError
from satchel.runtime.session.choosing import ModelRequest
from satchel.runtime.session.events import Event, Finished, Progress
from satchel.runtime.session.session import Session
from satchel.runtime.session.stopping import Stopping
from satchel.runtime.worker.process import Worker


@pytest.fixture
def deaf_session(harbour, warm_home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    worker = Worker("helpers.deaf_knowledge_service", name="knowledge", cancel_seconds=0.3)
    quoting = AnswerOptions(ModelRequest("reader"), keep_history=False)
    with open_session(str(harbour.pack), quoting, warm_home, worker=worker) as session:
        yield session


def end(events: Iterator[Event]) -> Finished:
    *_, finished = events
    assert isinstance(finished, Finished)
    return finished


def test_when_the_time_is_up_a_worker_that_does_not_listen_is_ended_and_the_turn_with_it(deaf_session):
    with pytest.raises(OutOfTimeError, match=r"longer than the 0\.2 s it was given \(answering\)"):
        list(events_within(deaf_session, f"Think {FOR_EVER}.", TimeLimit(0.2)))

    assert end(deaf_session.turn("Where is diesel sold?")).reason == "answered"


def test_a_stop_from_a_signals_handler_ends_a_turn_whose_worker_does_not_listen(deaf_session):
    with Stopping(deaf_session) as stopping:
        before = signal.signal(signal.SIGINT, lambda *_: stopping.begin())
        try:
            events = deaf_session.turn(f"Think {FOR_EVER}.")
            assert isinstance(next(events), Progress)
            # While the main thread waits for the worker.
            interrupt = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
            interrupt.start()
            finished = end(events)
            interrupt.join()
        finally:
            signal.signal(signal.SIGINT, before)

    assert (finished.reason, finished.answer) == ("cancelled", "")
    assert end(deaf_session.turn("Where is diesel sold?")).reason == "answered"


def test_a_stop_that_comes_between_two_calls_of_a_worker_is_said_again(deaf_session):
    with Stopping(deaf_session) as stopping:
        events = deaf_session.turn(f"Think {FOR_EVER}.")
        assert isinstance(next(events), Progress)
        stopping.begin()  # nothing runs in the worker yet
        finished = end(events)

    assert finished.reason == "cancelled"


def test_a_turn_that_is_over_in_time_is_not_stopped(deaf_session):
    with Stopping(deaf_session, after=60) as stopping:
        finished = end(deaf_session.turn("Where is diesel sold?"))

    assert finished.reason == "answered"
    assert not stopping.begun
    assert not [thread for thread in threading.enumerate() if thread.name == "stopping"]


def test_a_time_past_what_threads_can_wait_is_no_error(deaf_session):
    with Stopping(deaf_session, after=1e300) as stopping:
        assert not stopping.begun


def test_the_worker_that_did_not_listen_is_gone(deaf_session):
    first = deaf_session._knowledge._worker.pid
    with Stopping(deaf_session, after=0.1):
        end(deaf_session.turn(f"Think {FOR_EVER}."))

    assert not Path(f"/proc/{first}").exists()
