"""The chat page: the list of chats, the chat, and the page that is cited."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from satchel.builder.chat.chat_view import ChatView, chat_title
from satchel.builder.chat.conversation import Opened, Opening, folder_of
from satchel.builder.chat.export_chat import export_chat, file_name
from satchel.builder.chat.find_bar import FindBar
from satchel.builder.chat.header import ChatHeader
from satchel.builder.chat.history_list import HistoryList
from satchel.builder.chat.model_choice import models_here
from satchel.builder.chat.page_pane import PagePane
from satchel.builder.chat.past_chats import Past, read_past
from satchel.builder.chat.transcript import model_words
from satchel.builder.commands import Command
from satchel.builder.language import translate
from satchel.builder.operations import Failure
from satchel.builder.page import Page
from satchel.builder.shell import Shell
from satchel.runtime.session.events import Source
from satchel.runtime.session.history import Chat

_HISTORY_WIDTH, _PANE_WIDTH, _LEAST_CHAT = 244, 430, 460


class ChatPage(Page):
    """`arrive(reference=…)` begins a chat with an assistant, `arrive(chat=…)` goes on with one."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._chat: Chat | None = None
        self._reference = ""
        self._assistant_id = ""
        self._picture = b""
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self.history = HistoryList(shell)
        self.history.setFixedWidth(_HISTORY_WIDTH)
        self.history.setProperty("role", "left")
        self.history.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.history.chosen.connect(lambda chat_id: self.arrive(chat=chat_id))
        self.history.new_wanted.connect(self.new_chat)
        self.history.deleted.connect(self._on_deleted)
        row.addWidget(self.history)
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.setChildrenCollapsible(False)
        self._split.setHandleWidth(1)
        row.addWidget(self._split, 1)
        self._split.addWidget(self._middle())
        self.pane = PagePane(shell)
        self.pane.setMinimumWidth(300)
        self.pane.closed.connect(self.close_pane)
        self.pane.hide()
        self._split.addWidget(self.pane)
        self._split.setStretchFactor(0, 1)
        self._split.setStretchFactor(1, 0)
        self._fit_history()

    def arrive(self, reference: str = "", chat: str = "", **_arguments: object) -> None:
        self.history.read()
        if reference:
            self._open(Opening(reference))
        elif chat and (self._chat is None or self._chat.id != chat):
            self._find_and_open(chat)
        elif not chat and self.view.assistant is None:
            self._find_and_open("")

    def new_chat(self) -> None:
        """Begin another chat with the same assistant."""
        if self._reference:
            self._open(Opening(self._reference), chosen=self._assistant_id)

    def toggle_history(self) -> None:
        """Show the list of chats, or hide it."""
        self.shell.prefer(history_shown=not self.history.isVisible())
        self.history.setVisible(self.shell.preferences.history_shown)

    def find_in_chat(self) -> None:
        """Look for words in this chat."""
        self.find_bar.look_in(self.view.entries)
        self.find_bar.begin()

    def answer_with(self, model: str) -> None:
        """Let another model answer from now on; this assistant keeps it."""
        chosen = {**self.shell.preferences.answer_with, self._assistant_id: model}
        self.shell.prefer(answer_with=chosen)
        chat = self._chat.id if self._chat is not None else None
        self._open(Opening(self._reference, chat), chosen=self._assistant_id)

    def rename(self) -> None:
        """Write another title, in the list."""
        if self._chat is not None:
            self.history.setVisible(True)
            self.history.rename(self._chat.id)

    def delete(self) -> None:
        """Delete this chat, with undo."""
        if self._chat is not None:
            self.history.delete(self._chat)

    def export(self) -> None:
        """Write this chat as Markdown, where the person says."""
        if self._chat is None:
            return
        chat, home = self._chat, self.shell.home
        title = translate("Chat", "Export this chat")
        chosen, _ = QFileDialog.getSaveFileName(
            self, title, file_name(chat.title), translate("Chat", "Markdown (*.md)")
        )
        if chosen:
            self.shell.operations.run(
                lambda _task: export_chat(home, chat.id, Path(chosen)),
                owner=self,
                name="export chat",
                succeeded=lambda _nothing: self.shell.notify(translate("Chat", "Written: {path}", path=chosen)),
                failed=lambda failure: self.shell.notify(f"{failure.message} {failure.advice}"),
            )

    def close_pane(self) -> None:
        """Close the cited page."""
        self.pane.hide()
        self._fit_history()
        self.view.composer.field.setFocus()

    def commands(self) -> Iterable[Command]:
        yield Command(translate("Chat", "New chat"), self.new_chat, "Ctrl+N", icon="plus")
        yield Command(translate("Chat", "Write a message"), self.view.composer.field.setFocus, "Ctrl+L")
        yield Command(translate("Chat", "Find in this chat"), self.find_in_chat, "Ctrl+F", icon="search")
        yield Command(translate("Chat", "List of chats"), self.toggle_history, "Ctrl+H", icon="panel-left")
        if self._chat is not None:
            yield Command(translate("Chat", "Export as Markdown…"), self.export, "Ctrl+E", icon="upload")
            yield Command(translate("Chat", "Rename this chat"), self.rename, icon="pencil")
            yield Command(translate("Chat", "Delete this chat"), self.delete, icon="trash-2")

    def panes(self) -> Iterable[QWidget]:
        return (self.view.composer.field, self.view.list, self.pane, self.history)

    def escape(self) -> bool:
        if self.view.deny():
            pass
        elif self.view.busy:
            self.view.stop()
        elif self.find_bar.isVisible():
            self._end_find()
        elif self.pane.isVisible():
            self.close_pane()
        else:
            return False
        return True

    def close_down(self) -> None:
        self.view.close_down()
        self.pane.close_down()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_history()

    def _middle(self) -> QWidget:
        middle = QWidget()
        middle.setProperty("role", "plain")
        middle.setMinimumWidth(_LEAST_CHAT)
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.header = ChatHeader(self.shell.appearance)
        self.header.history_wanted.connect(self.toggle_history)
        self.header.find_wanted.connect(self.find_in_chat)
        self.header.model_chosen.connect(self.answer_with)
        self.header.set_actions(
            [
                (translate("Chat", "New chat"), "plus", self.new_chat),
                (translate("Chat", "Rename"), "pencil", self.rename),
                (translate("Chat", "Export as Markdown…"), "upload", self.export),
                (translate("Chat", "Delete"), "trash-2", self.delete),
            ]
        )
        column.addWidget(self.header)
        self.find_bar = FindBar(self.shell.appearance)
        column.addWidget(self.find_bar)
        self.view = ChatView(self.shell)
        self.view.opened.connect(self._on_opened)
        self.view.chat_changed.connect(self._on_chat)
        self.view.source_opened.connect(self._on_source)
        self.view.could_not_open.connect(self._on_not_open)
        self.find_bar.row_found.connect(lambda entry: self.view.list.show_row(entry + 1))
        self.find_bar.closed.connect(self._end_find)
        column.addWidget(self.view, 1)
        return middle

    def _find_and_open(self, chat_id: str) -> None:
        """Find out whose chat it is; without an id, go on with the last one."""
        home = self.shell.home

        def found(past: Past) -> None:
            chat = next((known for known in past.chats if known.id == chat_id or not chat_id), None)
            assistant = past.assistant(chat) if chat is not None else None
            if chat is None:
                self._show_nothing()
            elif assistant is None:
                self._show_orphan(chat)
            else:
                self._picture = assistant.avatar
                self._open(Opening(assistant.reference, chat.id), chosen=assistant.id)

        def failed(failure: Failure) -> None:
            self.view.states.show_failed(failure, lambda: self._find_and_open(chat_id))

        self.view.states.show_loading()
        self.shell.operations.run(
            lambda _task: read_past(home), owner=self, name="find chat", succeeded=found, failed=failed
        )

    def _open(self, opening: Opening, *, chosen: str = "") -> None:
        self._reference = opening.reference
        self._chat = None
        known = self.history.past.assistants or {}
        entry = next((entry for entry in known.values() if entry.reference == opening.reference), None)
        if entry is not None:
            self._picture = entry.avatar
        assistant_id = chosen or (entry.id if entry is not None else "")
        model = self.shell.preferences.answer_with.get(assistant_id)
        self.pane.hide()
        self._fit_history()
        self.view.open(Opening(opening.reference, opening.chat, model), self._picture)

    def _on_opened(self, opened: Opened) -> None:
        assistant = opened.assistant
        self._assistant_id = assistant.id
        self.header.avatar.show_assistant(assistant.name, assistant.id, self._picture)
        self.header.set_models(opened.model, [])
        self._on_chat(opened.chat)
        self.pane.follow(assistant.knowledge, folder_of(self._reference))
        home = self.shell.home
        self.shell.operations.run(
            lambda _task: models_here(home),
            owner=self,
            name="models",
            succeeded=lambda names: self.header.set_models(opened.model, names),
        )

    def _on_chat(self, chat: Chat | None) -> None:
        began = chat is not None and self._chat is None
        self._chat = chat
        opened = self.view.assistant
        self.header.title.set_text(chat_title(chat, opened.assistant.name if opened else ""))
        self.history.mark(chat.id if chat is not None else "")
        if began or self.view.entries:
            self.shell.tell_changed("chats")
        if self.find_bar.isVisible():
            self.find_bar.look_in(self.view.entries)

    def _on_source(self, source: Source, clicked: bool) -> None:
        if not clicked and (source.page is None or self.width() < _PANE_WIDTH + _LEAST_CHAT):
            return
        opening = not self.pane.isVisible()
        self.pane.show()
        self._fit_history()
        if opening:
            self._split.setSizes([self._split.width() - _PANE_WIDTH, _PANE_WIDTH])
        self.pane.show_source(source)

    def _on_not_open(self, failure: Failure, opening: Opening) -> None:
        if failure.code == "model-missing" and opening.model is not None:
            left = {key: name for key, name in self.shell.preferences.answer_with.items() if name != opening.model}
            self.shell.prefer(answer_with=left)
            said = translate("Chat", "{model} is not on this computer any more.", model=model_words(opening.model))
            self.shell.notify(said)
            self._open(Opening(opening.reference, opening.chat))

    def _on_deleted(self, chat_id: str) -> None:
        if self._chat is not None and self._chat.id == chat_id:
            self.new_chat()

    def _show_nothing(self) -> None:
        text = translate("Chat", "There are no chats yet. Choose an assistant to talk with.")
        self.view.states.show_empty(
            text, translate("Chat", "Open the library"), lambda: self.shell.open("library"), icon="messages-square"
        )

    def _show_orphan(self, chat: Chat) -> None:
        text = translate("Chat", "The assistant of “{title}” is not here any more.", title=chat.title)
        self.view.end()
        self._chat = chat
        self.view.states.show_empty(text, translate("Chat", "Export as Markdown…"), self.export, icon="messages-square")

    def _end_find(self) -> None:
        self.find_bar.hide()
        self.view.composer.field.setFocus()

    def _fit_history(self) -> None:
        """Hide the list of chats where the chat and its page would not have room beside it."""
        wanted = _HISTORY_WIDTH + _LEAST_CHAT + (_PANE_WIDTH if not self.pane.isHidden() else 0) + 120
        self.history.setVisible(self.shell.preferences.history_shown and self.width() >= wanted)
