"""Questions that a turn asks a person in its middle, and the answers, which may come from any thread."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Sequence

from satchel.runtime.session.events import QuestionAsked
from satchel.runtime.tools.base import CallContext


class Desk:
    """Where a person is asked. Answers are kept by the id of their question, and each is taken once."""

    def __init__(self, *, is_staffed: bool) -> None:
        """`is_staffed`: a front end shows questions to a person; without, nobody is asked."""
        self.is_staffed = is_staffed
        self.show: Callable[[QuestionAsked], None] = lambda _question: None
        """Brings a tool's question before the person; set while a call runs."""
        self._answers: dict[str, str] = {}
        self._open: set[str] = set()
        self._changed = threading.Condition()

    def open(self, question_id: str = "") -> str:
        """Make a place for one answer and return its id."""
        question_id = question_id or uuid.uuid4().hex
        with self._changed:
            self._open.add(question_id)
        return question_id

    def give(self, question_id: str, answer: str) -> bool:
        """Answer a question; False where nobody asked it, or it is answered already."""
        with self._changed:
            if question_id not in self._open:
                return False
            self._open.remove(question_id)
            self._answers[question_id] = answer
            self._changed.notify_all()
            return True

    def wait(self, question_id: str, *, is_over: Callable[[], bool], seconds: float | None = None) -> str | None:
        """Return the answer; None once the turn is over, or when the time is up. `wake` lets it look again."""
        deadline = None if seconds is None else time.monotonic() + seconds
        with self._changed:
            while question_id not in self._answers:
                left = None if deadline is None else deadline - time.monotonic()
                if is_over() or (left is not None and left <= 0):
                    self._open.discard(question_id)
                    return None
                self._changed.wait(left)
            return self._answers.pop(question_id)

    def ask(self, question: str, choices: Sequence[str], context: CallContext) -> str | None:
        """Ask in the middle of a call (`tools.ask_user.Asker`); runs on the call's own thread."""
        if not self.is_staffed:
            return None
        question_id = self.open()
        context.cancellation.when_cancelled(self.wake)
        self.show(QuestionAsked(question_id, question, tuple(choices)))
        return self.wait(question_id, is_over=lambda: context.cancellation.is_cancelled, seconds=context.seconds_left)

    def wake(self) -> None:
        """Let those who wait see that the turn is over."""
        with self._changed:
            self._changed.notify_all()
