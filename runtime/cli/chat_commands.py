"""What a line typed in `satchel chat` does: a question is asked, a line that begins with / is a command."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from satchel.runtime.atomic import save_text
from satchel.runtime.cli.rendering import render_turn
from satchel.runtime.cli.terminal import Terminal
from satchel.runtime.session.events import Event
from satchel.runtime.session.export import chat_as_markdown
from satchel.runtime.session.history import Message
from satchel.runtime.session.session import Session
from satchel.runtime.session.stopping import Stopping

_HELP = """\
  /history           the messages of this chat, numbered
  /edit N TEXT       ask message N anew with another text: a branch beside it
  /again             answer the last question once more: a branch beside the answer
  /branches          the other versions of the last question and its answer
  /branch N          go on from message N, or with a version by the beginning of its id
  /title TEXT        rename this chat
  /new               begin another chat
  /export FILE.md    write this chat as Markdown
  /quit"""

_SHORT_CHARACTERS = 80


class ChatCommands:
    """The commands of one chat session."""

    def __init__(self, session: Session, terminal: Terminal) -> None:
        self._session = session
        self._terminal = terminal
        self._commands = {
            "/again": self._again,
            "/branch": self._branch,
            "/branches": self._branches,
            "/edit": self._edit,
            "/export": self._export,
            "/help": self._help,
            "/history": self._history,
            "/new": self._new,
            "/title": self._title,
        }

    def take(self, line: str) -> bool:
        """Do what a line says; False when it ends the chat."""
        verb, _, rest = line.partition(" ")
        if verb in {"/quit", "/exit"}:
            return False
        if not line.startswith("/"):
            self._answer(self._session.turn(line))
        elif (command := self._commands.get(verb)) is not None:
            command(rest.strip())
        else:
            self._terminal.note(f"There is no command {verb}; /help lists them.")
        return True

    def _answer(self, events: Iterator[Event]) -> None:
        """Print a turn; Ctrl-C stops the answer and not the chat, and what was said is kept."""
        with Stopping(self._session) as stopping:

            def stop(_signal: int, _frame: FrameType | None) -> None:
                stopping.begin()

            before = signal.signal(signal.SIGINT, stop)
            try:
                render_turn(events, self._terminal, decide=self._session.decide)
            finally:
                signal.signal(signal.SIGINT, before)

    def _help(self, _rest: str) -> None:
        self._terminal.print(_HELP)

    def _new(self, _rest: str) -> None:
        self._session.new_chat()
        self._terminal.print("A new chat begins with your next message.")

    def _history(self, _rest: str) -> None:
        for number, message in enumerate(self._path(), 1):
            who = "you" if message.role == "user" else message.model
            self._terminal.print(f"  {number:>3} {who}: {in_short(message)}")

    def _edit(self, rest: str) -> None:
        number, _, text = rest.partition(" ")
        if not text.strip():
            self._terminal.note("Say which message, and its new text: /edit N TEXT")
        elif (message := self._numbered(number)) is not None:
            self._answer(self._session.edit(message.id, text.strip()))

    def _again(self, _rest: str) -> None:
        answers = [message for message in self._path() if message.role == "assistant"]
        if answers:
            self._answer(self._session.regenerate(answers[-1].id))
        else:
            self._terminal.note("There is no answer yet.")

    def _branch(self, rest: str) -> None:
        if (message := self._numbered(rest)) is None:
            return
        history, path = self._session.history, [message.id for message in self._path()]
        if message.id in path:
            # After a question on this branch comes its answer: what is asked next follows that.
            at = path.index(message.id) + (message.role == "user")
            head = path[min(at, len(path) - 1)]
        else:
            head = history.latest_leaf(message.id)
        history.set_head(message.chat_id, head)
        self._terminal.print(f"Going on from: {in_short(history.message(head))}")

    def _branches(self, _rest: str) -> None:
        for message in self._path()[-2:]:
            for version in self._session.history.siblings(message.id):
                mark = "*" if version.id == message.id else " "
                self._terminal.print(f"  {mark} {version.id[:8]} {version.role}: {in_short(version)}")

    def _title(self, rest: str) -> None:
        chat = self._session.chat
        if chat is None or not rest:
            self._terminal.note("A chat has a title from its first message on: /title TEXT")
        else:
            self._session.history.rename_chat(chat.id, rest)

    def _export(self, rest: str) -> None:
        chat = self._session.chat
        # Not `Path.expanduser`, which fails for a person that this machine does not know.
        path = Path(os.path.expanduser(rest))  # noqa: PTH111 - see above
        if chat is None or not rest:
            self._terminal.note("Say where to: /export FILE.md, once something was said.")
        elif os.path.lexists(path):
            self._terminal.note(f"{path} is there already; nothing was written. Choose another name.")
        else:
            save_text(path, chat_as_markdown(chat, self._path()))
            self._terminal.print(f"Written: {path}")

    def _path(self) -> tuple[Message, ...]:
        chat = self._session.chat
        return self._session.history.path(chat.head) if chat is not None else ()

    def _numbered(self, text: str) -> Message | None:
        """Return message N of the chat, or one of its versions by the beginning of its id."""
        path = self._path()
        if text.isdecimal() and 1 <= int(text) <= len(path):
            return path[int(text) - 1]
        for message in path:
            for version in self._session.history.siblings(message.id):
                if text and version.id.startswith(text):
                    return version
        self._terminal.note("Say which message: its number in /history, or a version's id in /branches.")
        return None


def in_short(message: Message) -> str:
    """Return a message's beginning, fit for one line."""
    words = " ".join(message.text.split())
    return words if len(words) <= _SHORT_CHARACTERS else words[: _SHORT_CHARACTERS - 1] + "…"
