"""The longest time in which the window does not answer: while it opens, streams and scrolls.

    python tests/bench/gui_stalls.py [--json FILE]

A timer of 2 ms beats on the GUI thread; the longest gap between two beats is a stall, less what the timer itself waits.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from helpers.chats import say_many
from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer
from PySide6.QtTest import QTest

from satchel.builder.app import Application, make_window
from satchel.builder.chat.transcript import Entry, LiveAnswer
from satchel.runtime.commands.library import sample_pack
from satchel.runtime.paths import find_home
from satchel.runtime.session.events import Token
from satchel.runtime.session.history import History

SAMPLE_ID = "5f0b6d0e-3c1e-4f6b-9a57-0d2f7a1c9e31"
QUESTION = "How fast must a spacecraft go to escape from Earth?"
TOKENS = 2000
RATE = 200
PROSE = "The **craft** needs `v` to go, and what it needs is told by the mass and the size of the planet. " * 8
ANSWER = f"{PROSE}\n\n```python\nx = 1\ny = 2\n```\n\n{PROSE}\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
WORDS = re.findall(r"\S+\s*", ANSWER)


class Beats(QObject):
    """Notes the longest gap since it was asked last."""

    def __init__(self) -> None:
        super().__init__()
        self._clock = QElapsedTimer()
        self._longest = self._longest_work = 0.0
        self._worked = time.thread_time()
        timer = QTimer(self)
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(self._beat)
        timer.start(2)
        self._clock.start()

    def longest(self) -> tuple[float, float]:
        """Return the longest gap, and the most work of this thread in one, in milliseconds; begin anew."""
        longest, self._longest = (self._longest, self._longest_work), 0.0
        self._longest_work = 0.0
        return longest

    def _beat(self) -> None:
        self._longest = max(self._longest, self._clock.nsecsElapsed() / 1e6 - 2)
        self._clock.start()
        worked = time.thread_time()
        self._longest_work = max(self._longest_work, (worked - self._worked) * 1000)
        self._worked = worked


def until(condition: Callable[[], object], seconds: float = 120) -> None:
    """Let the window live until something is so."""
    give_up = time.monotonic() + seconds
    while not condition():
        QTest.qWait(5)
        assert time.monotonic() < give_up


def stream(view: Any) -> Iterator[None]:
    """Hand an answer of many tokens to a chat, as fast as a quick model speaks."""
    view._append(Entry("", "user", "Go on."))
    view._live = LiveAnswer()
    view._append(view._live.entry("model"))
    said, began = 0, time.monotonic()
    while said < TOKENS:
        due = min(TOKENS, int((time.monotonic() - began) * RATE))
        if due > said:
            view._on_happened([Token(WORDS[number % len(WORDS)]) for number in range(said, due)])
            said = due
        yield


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SATCHEL_HOME"] = folder
        home = find_home()
        with History(home.history) as history:
            chat = history.create_chat(SAMPLE_ID, "long")
            say_many(history, chat, 10_000)
        application = Application([])
        beats = Beats()
        window = make_window(application, home)
        window.show()
        until(lambda: getattr(window.page, "cards", None))
        stalls: dict[str, tuple[float, float]] = {"library": beats.longest()}
        QTest.qWait(3000)  # as long as a person looks at the cards before choosing one
        stalls["library, while the chat's code is imported"] = beats.longest()
        window.shell.open("chat", reference=str(sample_pack()))
        page: Any = window.page  # of the chat, which has more than a page
        view = page.view
        until(lambda: view.assistant is not None)
        stalls["open a chat"] = beats.longest()
        view.send(QUESTION)
        until(lambda: view.entries and not view.busy)
        until(lambda: page.pane.page is not None)
        QTest.qWait(300)
        stalls["a quote and its page"] = beats.longest()
        for _ in stream(view):
            QTest.qWait(1)
        stalls[f"{TOKENS} tokens at {RATE}/s"] = beats.longest()
        view._live = None
        window.shell.open("chat", chat=chat.id)
        until(lambda: len(view.entries) == 10_000)
        QTest.qWait(300)
        stalls["open 10,000 messages"] = beats.longest()
        bar = view.list.verticalScrollBar()
        for step in range(400):
            bar.setValue(round(bar.maximum() * (1 - step / 400)))
            QTest.qWait(1)
        stalls["scroll through 10,000 messages"] = beats.longest()
        view.send("hello")
        until(lambda: not view.busy)
        stalls["an answer after 10,000 messages"] = beats.longest()
        window.close()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {platform.system()}")
    print(f"{'':>42}   longest gap   of it this thread's work")
    for name, (gap, work) in stalls.items():
        print(f"{name:>42}  {gap:9.1f} ms {work:9.1f} ms")
    if arguments.json:
        arguments.json.write_text(json.dumps(stalls, indent=2) + "\n")


if __name__ == "__main__":
    main()
