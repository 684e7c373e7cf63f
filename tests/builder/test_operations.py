from __future__ import annotations

import threading

import pytest
from PySide6.QtCore import QObject, QThread

from satchel.builder.operations import Failure, Operations, Step
from satchel.builder.states import words_of
from satchel.runtime.errors import CancelledError, UsageError


@pytest.fixture
def operations(qapp):
    made = Operations(qapp)
    yield made
    made.close()
    made.deleteLater()


class Heard:
    """What was told, and on which thread."""

    def __init__(self):
        self.owner = QObject()
        self.results, self.failures, self.steps, self.items, self.threads = [], [], [], [], set()

    def listeners(self):
        def note(into):
            def listen(value):
                self.threads.add(QThread.currentThread())
                into.append(value)

            return listen

        return {
            "owner": self.owner,
            "succeeded": note(self.results),
            "failed": note(self.failures),
            "progressed": note(self.steps),
            "told": note(self.items),
        }


def run(operations, qtbot, work):
    heard = Heard()
    operation = operations.run(work, name="test", **heard.listeners())
    qtbot.waitUntil(lambda: not operations.busy)
    assert not operation.running
    return heard


def test_work_runs_elsewhere_and_is_heard_of_here(operations, qtbot, qapp):
    def work(task):
        task.progress("reading", 1, 2)
        task.progress("reading", 2, 2)
        task.tell("half")
        return threading.current_thread()

    heard = run(operations, qtbot, work)
    assert heard.results[0] is not threading.main_thread()
    assert heard.steps[-1] == Step("reading", 2, 2)
    assert heard.items == ["half"]
    assert heard.threads == {qapp.thread()}


def test_a_failure_is_told_in_words(operations, qtbot):
    def work(_task):
        raise UsageError(reason="there is no such thing")

    (failure,) = run(operations, qtbot, work).failures
    assert (failure.message, failure.code) == ("there is no such thing", "usage") or failure.message.startswith("there")


def test_a_bug_is_told_with_its_traceback_to_copy(operations, qtbot):
    def work(_task):
        return 1 // 0

    (failure,) = run(operations, qtbot, work).failures
    assert isinstance(failure, Failure)
    assert "division" in failure.message
    assert "Traceback" in failure.details


def test_cancelling_stops_the_work_and_tells_neither_success_nor_failure(operations, qtbot):
    began, stop_called = threading.Event(), threading.Event()

    def work(task):
        task.when_cancelled(stop_called.set)
        began.set()
        while True:
            task.progress("counting", 1, None)

    heard = Heard()
    operation = operations.run(work, name="test", **heard.listeners())
    began.wait(10)
    operation.cancel()
    qtbot.waitUntil(lambda: not operations.busy)
    assert (heard.results, heard.failures) == ([], [])
    assert stop_called.is_set()


def test_nobody_is_called_who_is_gone(operations, qtbot):
    go = threading.Event()
    heard = Heard()
    operations.run(lambda _task: go.wait(10), name="test", **heard.listeners())
    heard.owner.deleteLater()
    qtbot.waitUntil(lambda: True)
    heard.owner = None
    go.set()
    qtbot.waitUntil(lambda: not operations.busy)
    assert heard.results == []


def test_work_that_raises_cancelled_ends_quietly(operations, qtbot):
    def work(_task):
        raise CancelledError

    heard = run(operations, qtbot, work)
    assert (heard.results, heard.failures) == ([], [])


def test_steps_in_words():
    assert words_of(Step("reading tides.pdf", 112, 500, 200.0)) == "Reading tides.pdf: 112 of 500, about 3 min left"
    assert words_of(Step("searching", 0, None)) == "Searching"
    assert words_of(Step("copying", 1, 4, 12.0)) == "Copying: 1 of 4, about 12 s left"


@pytest.mark.usefixtures("qapp")
def test_nothing_begins_once_all_was_closed():
    operations = Operations()
    operations.close()
    ran = []
    operation = operations.run(lambda _task: ran.append(1), owner=operations, name="late")
    assert not operation.running
    assert operation.join(0)
    assert ran == []
    assert not operations.busy
