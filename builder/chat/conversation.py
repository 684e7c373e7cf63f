"""The thread that holds a session: it opens the assistant, runs turns one after another, and tells the window.

Everything that a session does on the disk and waits for happens there; what is told arrives on the GUI thread.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from PySide6.QtCore import QObject, Signal

from satchel.builder.chat.transcript import Entry, branch_of
from satchel.builder.operations import Step, failure_of
from satchel.runtime.commands.answer import AnswerOptions, open_session
from satchel.runtime.commands.aside import Aside
from satchel.runtime.commands.opening import is_folder
from satchel.runtime.errors import CancelledError
from satchel.runtime.knowledge.starting import start_knowledge_worker
from satchel.runtime.packfile.store import PackStore
from satchel.runtime.packfile.verified import VerifiedPack
from satchel.runtime.paths import Home
from satchel.runtime.session.assistant import LoadedAssistant
from satchel.runtime.session.choosing import ModelRequest
from satchel.runtime.session.events import (
    ApprovalNeeded,
    Event,
    Finished,
    Progress,
    QuestionAsked,
    ToolFinished,
    ToolRequested,
)
from satchel.runtime.session.history import Chat
from satchel.runtime.session.session import Session
from satchel.runtime.session.stopping import Stopping

_SECONDS_BETWEEN_BATCHES = 0.03
"""Events are handed over together: 200 tokens a second would be 200 wake-ups of the window."""

_AT_ONCE = (ApprovalNeeded, QuestionAsked, ToolRequested, ToolFinished, Progress, Finished)
"""Told at once: the session may wait long after them, for a person or for a tool."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A new message at the end of the chat."""

    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """A changed question in the place of an earlier one."""

    message_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Again:
    """Another answer to the question that this message answers."""

    message_id: str


@dataclass(frozen=True, slots=True)
class Retry:
    """The answer that a question did not get."""

    question_id: str


@dataclass(frozen=True, slots=True)
class Show:
    """Another branch: the one that goes through this message."""

    message_id: str


Request: TypeAlias = Ask | Edit | Again | Retry | Show


@dataclass(frozen=True, slots=True)
class Opening:
    """What is opened."""

    reference: str
    chat: str | None = None
    model: str | None = None
    """A model's name, `starter` or `reader`; None: as assistant, settings and machine suggest."""
    history: Path | None = None
    """Where its chats are kept, when it is not among the person's: an editor's preview."""


@dataclass(frozen=True, slots=True)
class Opened:
    """Who answers, and what was said so far."""

    assistant: LoadedAssistant
    model: str
    chat: Chat | None
    entries: list[Entry]


@dataclass(frozen=True, slots=True)
class Said:
    """The chat after a turn, or on another branch."""

    chat: Chat | None
    entries: list[Entry]


class Conversation(QObject):
    """One session; `close` ends it and its processes."""

    opened = Signal(object)
    """`Opened`."""
    opening = Signal(object)
    """A `Step` of verifying a pack or reading a folder's files."""
    could_not_open = Signal(object)
    """A `Failure`; the conversation is over."""
    asked = Signal(str)
    """The text of a question whose turn begins; empty when an earlier one is answered again."""
    happened = Signal(object)
    """A list of events."""
    said = Signal(object)
    """`Said`: the turn is over, or another branch is shown."""
    failed = Signal(object, str)
    """A `Failure`, and the id of the question that has no answer; empty when it was no question."""
    _told = Signal(str, object)

    def __init__(self, home: Home, opening: Opening, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._home, self._opening = home, opening
        self._requests: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._stopping: Stopping | None = None
        self._session: Session | None = None
        self._closing = threading.Event()
        self._told.connect(self._pass_on)
        self.busy = False
        """A turn runs, or waits to."""
        self._thread = threading.Thread(target=self._run, name="conversation", daemon=True)
        self._thread.start()

    def ask(self, request: Request) -> None:
        """Do this after what runs now."""
        if not isinstance(request, Show):
            self.busy = True
        self._requests.put(request)

    def stop(self) -> None:
        """Stop the answer that comes; what was said stays."""
        if (stopping := self._stopping) is not None:
            stopping.begin()

    def decide(self, request_id: str, choice: str) -> None:
        """Pass on what the person says to a request or a question of the turn that runs."""
        if (session := self._session) is not None:
            session.decide(request_id, choice)

    def close(self) -> None:
        """End the session; returns at once, `join` waits."""
        self._closing.set()
        self._requests.put(None)
        self.stop()

    def join(self, seconds: float) -> bool:
        """Wait until its processes have ended; False when they have not."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._serve()
        except CancelledError:
            pass
        except Exception as error:  # noqa: BLE001 - the one place where a bug becomes a message in the window
            self._tell("could_not_open", failure_of(error))

    def _serve(self) -> None:
        opening = self._opening
        options = AnswerOptions(model=ModelRequest(reference=opening.model), can_ask=True, history=opening.history)
        worker = start_knowledge_worker()  # its imports run while ours do
        with open_session(
            opening.reference,
            options,
            self._home,
            chat=opening.chat,
            worker=worker,
            verify=self._verify,
            progress=self._progress,
        ) as session:
            self._session = session
            self._tell("opened", Opened(session.assistant, session.speaker, *_chat_of(session)))
            while (request := self._requests.get()) is not None:
                self._do(session, request)

    def _do(self, session: Session, request: Request) -> None:
        try:
            if isinstance(request, Show):
                _show_branch(session, request.message_id)
            else:
                self._turn(session, request)
            self._tell("said", Said(*_chat_of(session)))
        except CancelledError:
            self._tell("said", Said(*_chat_of(session)))
        except Exception as error:  # noqa: BLE001 - the one place where a bug becomes a message in the window
            chat = session.chat
            head = session.history.message(chat.head) if chat is not None and chat.head is not None else None
            question = head.id if head is not None and head.role == "user" else ""
            self._tell("said", Said(*_chat_of(session)))
            self._tell("failed", (failure_of(error), question))

    def _turn(self, session: Session, request: Ask | Edit | Again | Retry) -> None:
        self._tell("asked", request.text if isinstance(request, Ask | Edit) else "")
        waiting: list[Event] = []
        handed = 0.0
        with Stopping(session) as stopping:
            self._stopping = stopping
            if self._closing.is_set():
                stopping.begin()
            try:
                for event in _events(session, request):
                    waiting.append(event)
                    now = time.monotonic()
                    if now - handed >= _SECONDS_BETWEEN_BATCHES or isinstance(event, _AT_ONCE):
                        self._tell("happened", waiting)
                        waiting, handed = [], now
            finally:
                self._stopping = None
                if waiting:
                    self._tell("happened", waiting)

    def _verify(self, path: Path) -> VerifiedPack:
        """Verify a pack in another process, unless that was done: it takes seconds and NumPy."""
        if (known := PackStore(self._home).verified_before(path)) is not None:
            return known
        with Aside(self._home) as aside:
            return aside.verify_once(str(path), progress=self._progress)

    def _progress(self, stage: str, done: int, total: int | None) -> None:
        if self._closing.is_set():
            raise CancelledError
        self._tell("opening", Step(stage, done, total))

    def _tell(self, kind: str, value: object) -> None:
        if not self._closing.is_set():
            self._told.emit(kind, value)

    def _pass_on(self, kind: str, value: object) -> None:
        if self._closing.is_set():
            return
        if kind == "said":
            self.busy = False
        if kind == "failed":
            assert isinstance(value, tuple)  # see `_do`
            self.failed.emit(*value)
        else:
            getattr(self, kind).emit(value)


def folder_of(reference: str) -> Path | None:
    """Return a project's folder, None for a pack."""
    return Path(reference) if is_folder(reference) else None


def _events(session: Session, request: Ask | Edit | Again | Retry) -> Iterator[Event]:
    match request:
        case Ask():
            return session.turn(request.text)
        case Edit():
            return session.edit(request.message_id, request.text)
        case Again():
            return session.regenerate(request.message_id)
        case Retry():
            return session.answer(request.question_id)


def _chat_of(session: Session) -> tuple[Chat | None, list[Entry]]:
    chat = session.chat
    if chat is None:
        return None, []
    return chat, branch_of(session.history.messages(chat.id), chat.head)


def _show_branch(session: Session, message_id: str) -> None:
    chat = session.chat
    if chat is not None:
        session.history.set_head(chat.id, session.history.latest_leaf(message_id))
