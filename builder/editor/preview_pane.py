"""The right side of the editor: a head over the preview chat."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QStackedWidget, QVBoxLayout, QWidget

from satchel.builder.chat.conversation import Opened
from satchel.builder.chat.model_choice import models_here
from satchel.builder.chat.page_pane import PagePane
from satchel.builder.chat.transcript import READER, model_words
from satchel.builder.editor.document import Document
from satchel.builder.editor.knowledge_work import KnowledgeWork
from satchel.builder.editor.preview import Preview
from satchel.builder.language import translate
from satchel.builder.shell import Shell
from satchel.builder.widgets.buttons import Button, IconButton
from satchel.builder.widgets.labels import label
from satchel.runtime.session.events import Source


class PreviewPane(QWidget):
    """Says which model answers, and lets the person begin again."""

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self._shell = shell
        self._document: Document | None = None
        self._work: KnowledgeWork | None = None
        self._history = Path()
        self.setProperty("role", "side")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._head())
        self.chat = Preview(shell)
        self.chat.opened.connect(self._on_opened)
        self.chat.source_opened.connect(self._on_source)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.chat)
        column.addWidget(self._stack, 1)
        self.page: PagePane | None = None
        """The page of a citation, over the chat; made when one is first opened."""

    def begin(self, document: Document, work: KnowledgeWork, history: Path) -> None:
        """Show an assistant; its chat opens when its files are read, and says how far that is."""
        self.close_page()
        self.chat.end()
        self._document, self._work, self._history = document, work, history
        self.chat.states.show_loading()
        work.changed.connect(self._on_work)
        work.read.connect(self._open_first)
        work.failed.connect(lambda _failure: self._open_first())

    def focus(self) -> None:
        """Go to the message field."""
        self.chat.composer.field.setFocus()

    def close_page(self) -> bool:
        """Show the chat again; False when it is shown."""
        if self._stack.currentWidget() is self.chat:
            return False
        self._stack.setCurrentWidget(self.chat)
        return True

    def close_down(self) -> None:
        """End the session."""
        self.chat.close_down()
        if self.page is not None:
            self.page.close_down()

    def _on_work(self) -> None:
        step = self._work.overview.step if self._work is not None else None
        waits = self.chat.assistant is None and self.chat.states.state in {"loading", "working"}
        if step is not None and waits:
            self.chat.states.show_working(step)

    def _open_first(self) -> None:
        document = self._document
        if document is not None and self.chat.folder != document.folder:
            self.chat.begin(document.folder, self._history, document.draft, self._save)

    def _save(self) -> None:
        document = self._document
        if document is not None:
            document.save()
            if document.state != "saving":
                self.chat.note_saved()  # as it was saved last, where the form holds what cannot be

    def _on_source(self, source: Source, clicked: bool) -> None:
        opened = self.chat.assistant
        if not clicked or opened is None or self._document is None:
            return
        if self.page is None:
            self.page = PagePane(self._shell)
            self.page.closed.connect(self.close_page)
            self._stack.addWidget(self.page)
            self.page.follow(opened.assistant.knowledge, self._document.folder)
        self._stack.setCurrentWidget(self.page)
        self.page.show_source(source)

    def _on_opened(self, opened: Opened) -> None:
        if self.page is not None and self._document is not None:
            self.page.follow(opened.assistant.knowledge, self._document.folder)
        self.model.set_text(model_words(opened.model))
        home = self._shell.home
        self._shell.operations.run(
            lambda _task: models_here(home),
            owner=self,
            name="models",
            succeeded=lambda names: self._offer(opened, names),
        )

    def _offer(self, opened: Opened, names: list[str]) -> None:
        menu = QMenu(self.model)
        for name in dict.fromkeys([READER, *names]):
            action = QAction(model_words(name), menu)
            action.setCheckable(True)
            action.setChecked(name == opened.model)
            action.triggered.connect(lambda _checked=False, wanted=name: self.chat.answer_with(wanted))
            menu.addAction(action)
        self.model.setMenu(menu)

    def _head(self) -> QWidget:
        bar = QWidget()
        bar.setProperty("role", "bar")
        bar.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        bar.setFixedHeight(57)
        row = QHBoxLayout(bar)
        row.setContentsMargins(20, 0, 16, 0)
        row.setSpacing(10)
        row.addWidget(label(translate("Editor", "Preview"), "section"))
        row.addStretch(1)
        self.model = Button(self._shell.appearance, "", role="chip", icon="box", colour="muted")
        self.model.setToolTip(translate("Editor", "Which model answers here"))
        row.addWidget(self.model)
        self.again = IconButton(self._shell.appearance, "refresh-cw", translate("Editor", "Begin the preview again"))
        self.again.clicked.connect(lambda _checked=False: self.chat.restart())
        row.addWidget(self.again)
        return bar
