"""One chat on the screen: its messages, what is being written, and the session behind it.

The chat page shows it with a head; the editor's preview shows it bare.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import QEvent, QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from satchel.builder.chat.artefacts import Artefacts
from satchel.builder.chat.composer import Composer
from satchel.builder.chat.consent_sheet import ConsentSheet
from satchel.builder.chat.conversation import (
    Again,
    Ask,
    Conversation,
    Edit,
    Opened,
    Opening,
    Request,
    Retry,
    Said,
    Show,
)
from satchel.builder.chat.message_list import MessageList
from satchel.builder.chat.rows import AnswerRow, GreetingRow, QuestionRow, estimate_height
from satchel.builder.chat.transcript import Entry, LiveAnswer
from satchel.builder.language import translate
from satchel.builder.operations import Failure, Step
from satchel.builder.shell import Shell
from satchel.builder.states import States
from satchel.builder.theme.tokens import TEXT_COLUMN
from satchel.builder.widgets.banner import Banner, failure_banner
from satchel.builder.widgets.buttons import Button
from satchel.runtime.session.events import Event
from satchel.runtime.session.history import Chat

_CLOSE_SECONDS = 6.0
_SHEET_SHARE = 0.7
"""Of the view's height: above what is asked, what was said before can be read."""


class ChatView(QWidget):
    """Shows whatever `open` is told; `close_down` ends every session that it ever had."""

    opened = Signal(object)
    """`Opened`."""
    chat_changed = Signal(object)
    """The `Chat` after a turn, or None."""
    source_opened = Signal(object, bool)
    """A `Source`, and whether the person clicked it (else it came with the first answer)."""
    could_not_open = Signal(object, object)
    """A `Failure` and the `Opening`."""

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self._shell = shell
        self._conversation: Conversation | None = None
        self._ended: list[Conversation] = []
        self._opened: Opened | None = None
        self._picture = b""
        self.entries: list[Entry] = []
        self._live: LiveAnswer | None = None
        self._artefacts = Artefacts(shell, ())
        self._checked: dict[str, Entry] = {}
        """Of this session's answers, by their ids: the history does not keep them."""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.list = MessageList(self._make_row, self._estimate_row)
        self.list.setAccessibleName(translate("Chat", "Messages"))
        self.list.following_changed.connect(lambda _following: self._place_pill())
        self.list.viewport().installEventFilter(self)
        self.states = States(shell.appearance, self.list)
        column.addWidget(self.states, 1)
        below = QWidget()
        below.setProperty("role", "plain")
        self._below = QVBoxLayout(below)
        self._below.setContentsMargins(32, 0, 32, 20)
        below.setMaximumWidth(TEXT_COLUMN + 64)
        self._below.setSpacing(8)
        self._banner: Banner | None = None
        self.composer = Composer(shell.appearance)
        self.composer.sent.connect(self.send)
        self.composer.stopped.connect(self.stop)
        self.composer.set_enter_sends(shell.preferences.enter_sends)
        shell.preferences_changed.connect(lambda: self.composer.set_enter_sends(shell.preferences.enter_sends))
        self.sheet = ConsentSheet(shell.appearance)
        self.sheet.decided.connect(self._decide)
        self._below.addWidget(self.sheet)
        self._below.addWidget(self.composer)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(below, 1000)
        row.addStretch(1)
        column.addLayout(row)
        self.pill = Button(shell.appearance, translate("Chat", "Newest"), icon="arrow-down", clicked=self.list.to_end)
        self.pill.setParent(self.list.viewport())
        self.pill.hide()

    @property
    def assistant(self) -> Opened | None:
        """Who answers; None while nothing is open."""
        return self._opened

    @property
    def busy(self) -> bool:
        """True while an answer comes."""
        return self._conversation is not None and self._conversation.busy

    def open(self, opening: Opening, picture: bytes = b"") -> None:
        """Open an assistant with a new chat or an old one; what was open before ends."""
        self.end()
        self._picture = picture
        self.states.show_loading()
        self._show_entries([])
        self.composer.setEnabled(False)
        preview = [opening.history.parent] if opening.history is not None else []
        self._artefacts = Artefacts(self._shell, [self._shell.home.data, *preview])
        conversation = Conversation(self._shell.home, opening, self)
        self._conversation = conversation
        for signal, slot in (
            (conversation.opened, self._on_opened),
            (conversation.opening, self._on_opening),
            (conversation.asked, self._on_asked),
            (conversation.happened, self._on_happened),
            (conversation.said, self._on_said),
            (conversation.failed, self._on_failed),
        ):
            signal.connect(slot)
        conversation.could_not_open.connect(lambda failure: self._on_not_open(failure, opening))

    def end(self) -> None:
        """End what is open, without waiting for its processes."""
        self._dismiss_banner()
        self._live = None
        self._show_waiting()
        self._opened = None
        self._checked = {}
        if self._conversation is not None:
            conversation, self._conversation = self._conversation, None
            conversation.close()
            self._ended = [ended for ended in self._ended if not ended.join(0)]
            self._ended.append(conversation)
        self.composer.set_busy(False)

    def close_down(self) -> None:
        """End everything and wait for it."""
        self.end()
        for conversation in self._ended:
            conversation.join(_CLOSE_SECONDS)
        self._ended = []

    def send(self, text: str) -> None:
        """Say something at the end of the chat."""
        self.composer.field.setFocus()
        self._request(Ask(text))

    def stop(self) -> None:
        """Stop the answer that comes."""
        if self._conversation is not None:
            self._conversation.stop()

    def deny(self) -> bool:
        """Say "Don't allow" to what a tool would do; False when nothing of the kind is asked."""
        return self.sheet.deny()

    def tell(self, banner: Banner) -> None:
        """Show a banner above the message field, in the place of the one that is there."""
        self._dismiss_banner()
        self._banner = banner
        banner.dismissed.connect(self._dismiss_banner)
        self._below.insertWidget(0, banner)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.list.viewport() and event.type() == QEvent.Type.Resize:
            self._place_pill()
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.sheet.set_most(round(self.height() * _SHEET_SHARE))

    def _decide(self, question_id: str, choice: str) -> None:
        if self._live is None or self._conversation is None:
            return
        self._conversation.decide(question_id, choice)
        self._live = self._live.answered(question_id)
        self._show_live()

    def _show_waiting(self) -> None:
        """Show what the person is asked; when nothing is left, the message field has the focus again."""
        asked = self._live.waiting if self._live is not None else ()
        had = bool(self.sheet.cards)
        if self._opened is not None and (asked or had):
            self.sheet.show_asked(asked, self._opened.assistant, self._picture)
            if had and not asked:
                self.composer.field.setFocus()

    def _request(self, request: Request) -> None:
        if self._conversation is not None and not self.busy:
            self._dismiss_banner()
            if not isinstance(request, Show):
                self.composer.set_busy(True)
            self._conversation.ask(request)

    def _on_opened(self, opened: Opened) -> None:
        self._opened = opened
        self._show_entries(opened.entries)
        self.composer.setEnabled(True)
        self.composer.set_assistant(opened.assistant.name)
        self.composer.field.setFocus()
        self.opened.emit(opened)

    def _on_opening(self, step: Step) -> None:
        conversation = self._conversation
        self.states.show_working(step, conversation.close if conversation is not None else None)

    def _on_not_open(self, failure: Failure, opening: Opening) -> None:
        self.states.show_failed(failure, lambda: self.open(opening, self._picture))
        self.could_not_open.emit(failure, opening)

    def _on_asked(self, text: str) -> None:
        if text:
            self._append(Entry("", "user", text))
        self._live = LiveAnswer()
        self._append(self._live.entry(self._speaker()))
        self.list.to_end()

    def _on_happened(self, events: Sequence[Event]) -> None:
        if self._live is None:
            return
        self._live = self._live.after(events)
        self._show_live()

    def _show_live(self) -> None:
        assert self._live is not None  # or nothing happens
        self._show_waiting()
        entry = self._live.entry(self._speaker())
        self.entries[-1] = entry
        row = len(self.entries)
        widget = self.list.built.get(row)
        if isinstance(widget, AnswerRow):
            widget.show_entry(entry, self._live.step)
            self.list.grew(row)

    def _on_said(self, said: Said) -> None:
        live, self._live = self._live, None
        self._show_waiting()
        if live is not None and live.checks and (checked := live.entry("")).id:
            self._checked[checked.id] = checked
        kept = [self._with_checks(entry) for entry in said.entries]
        if live is not None and live.finished is not None and kept and kept[-1].id == live.finished.message_id:
            # The history keeps neither warnings nor how the turn ended.
            kept[-1] = replace(live.entry(kept[-1].model), branches=kept[-1].branches)
        first_answer = len(kept) == 2 and live is not None and live.finished is not None
        self._show_entries(kept)
        self.composer.set_busy(False)
        self.chat_changed.emit(said.chat)
        if first_answer and kept[-1].sources:
            self.source_opened.emit(kept[-1].sources[0], False)

    def _with_checks(self, entry: Entry) -> Entry:
        checked = self._checked.get(entry.id)
        return entry if checked is None else replace(entry, checks=checked.checks, shown=checked.shown)

    def _on_failed(self, failure: Failure, question_id: str) -> None:
        retry: Callable[[], object] | None = None
        if question_id:
            retry = lambda: self._request(Retry(question_id))  # noqa: E731 - a closure over this failure's question
        self.tell(failure_banner(self._shell.appearance, failure, retry))

    def _show_entries(self, entries: list[Entry]) -> None:
        """Show the messages; rows that show the same already stay as they are."""
        if self._opened is not None:
            self.states.show_full()
        before, self.entries = self.entries, entries
        same = 0
        while same < min(len(before), len(entries)) and before[same] == entries[same]:
            same += 1
        if not before or not same or not entries or self.list.rows() != len(before) + 1:
            self.list.reset(len(entries) + 1 if self._opened is not None else 0)
            return
        following = self.list.following
        self.list.cut(same + 1)
        for _ in entries[same:]:
            self.list.append()
        if following:
            self.list.to_end()

    def _append(self, entry: Entry) -> None:
        self.entries.append(entry)
        if len(self.entries) == 1:
            self.list.replace(0)  # the starters go
        self.list.append()

    def _speaker(self) -> str:
        return self._opened.model if self._opened is not None else ""

    def _estimate_row(self, row: int, width: int) -> int:
        return estimate_height(self.entries[row - 1], width) if row else 60

    def _make_row(self, row: int) -> QWidget:
        appearance = self._shell.appearance
        assert self._opened is not None  # there are no rows before
        if row == 0:
            greeting = GreetingRow(appearance, self._opened.assistant, self._picture, starters=not self.entries)
            greeting.starter_chosen.connect(self.send)
            return greeting
        entry = self.entries[row - 1]
        if entry.role == "user":
            question = QuestionRow(appearance, entry, self.list.column_width)
            question.edited.connect(lambda message_id, text: self._request(Edit(message_id, text)))
            question.branch_wanted.connect(lambda message_id: self._request(Show(message_id)))
            return question
        step = self._live.step if entry.live and self._live else None
        answer = AnswerRow(appearance, entry, step, self._artefacts)
        answer.source_opened.connect(lambda source: self.source_opened.emit(source, True))
        answer.link_clicked.connect(self._ask_about_link)
        answer.again.connect(lambda message_id: self._request(Again(message_id)))
        answer.branch_wanted.connect(lambda message_id: self._request(Show(message_id)))
        return answer

    def _ask_about_link(self, address: str) -> None:
        """Say where a link leads before anything is opened."""

        def copy() -> None:
            QGuiApplication.clipboard().setText(address)
            self._dismiss_banner()

        def open_it() -> None:
            QDesktopServices.openUrl(QUrl(address))
            self._dismiss_banner()

        actions: list[tuple[str, Callable[[], object]]] = [(translate("Chat", "Copy address"), copy)]
        if QUrl(address).scheme() in {"http", "https", "mailto"}:
            actions.insert(0, (translate("Chat", "Open in the browser"), open_it))
        text = translate("Chat", "This link leads to:")
        self.tell(Banner(self._shell.appearance, text, detail=address, actions=actions))

    def _dismiss_banner(self) -> None:
        if self._banner is not None:
            self._banner.hide()
            self._banner.deleteLater()
            self._banner = None

    def _place_pill(self) -> None:
        view = self.list.viewport()
        self.pill.adjustSize()
        self.pill.move((view.width() - self.pill.width()) // 2, view.height() - self.pill.height() - 12)
        self.pill.setVisible(not self.list.following and self.list.verticalScrollBar().maximum() > 0)
        self.pill.raise_()


def chat_title(chat: Chat | None, name: str) -> str:
    """Return what the head says: the chat's title, or whom a new one is with."""
    return chat.title if chat is not None else name
