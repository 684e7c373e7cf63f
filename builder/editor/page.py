"""The editor's page: head, tabs and preview of one assistant."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from satchel.builder.chat.conversation import Opened as Speaker
from satchel.builder.chat.transcript import READER
from satchel.builder.commands import Command
from satchel.builder.editor.document import Document
from satchel.builder.editor.draft import Draft
from satchel.builder.editor.knowledge_work import KnowledgeWork
from satchel.builder.editor.persona_tab import PersonaTab
from satchel.builder.editor.preview_pane import PreviewPane
from satchel.builder.editor.saving import Opened, editing_folder, open_draft, read_disk
from satchel.builder.editor.tab import Tab
from satchel.builder.editor.tabs import import_tabs, tab_specs
from satchel.builder.language import translate
from satchel.builder.page import Page
from satchel.builder.shell import Shell
from satchel.builder.states import States
from satchel.builder.theme.tokens import ColourName
from satchel.builder.widgets.avatar import Avatar
from satchel.builder.widgets.buttons import Button, IconButton
from satchel.builder.widgets.labels import ElidedLabel, IconLabel, label, plain_tip

_PREVIEW_WIDTH, _LEAST_FORM, _LEAST_PREVIEW = 470, 560, 320


class EditorPage(Page):
    """`arrive(folder=…)` opens a project; its form saves itself."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.folder: Path | None = None
        self.document: Document | None = None
        self.work: KnowledgeWork | None = None
        self._tabs: dict[str, Tab] = {}
        self._specs = tab_specs()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.setChildrenCollapsible(False)
        self._split.setHandleWidth(1)
        self._split.addWidget(self._form())
        self.preview = PreviewPane(shell)
        self.preview.setMinimumWidth(_LEAST_PREVIEW)
        self.preview.chat.opened.connect(self._on_preview_opened)
        self._split.addWidget(self.preview)
        self._split.setStretchFactor(0, 1)
        self._split.setSizes([740, _PREVIEW_WIDTH])
        self.states = States(shell.appearance, self._split)
        row.addWidget(self.states)

    def arrive(self, folder: str = "", tab: str = "", **_arguments: object) -> None:
        if not folder or (self.folder == Path(folder) and self.document is not None):
            self._look_at_disk()
        else:
            self._open(Path(folder))
        if tab:
            self.show_tab(tab)

    def leave(self) -> None:
        if self.document is not None:
            self.document.save()

    def close_down(self) -> None:
        for tab in self._tabs.values():
            tab.close_down()
        if self.document is not None:
            self.document.close_down()
        if self.work is not None:
            self.work.close_down()
        self.preview.close_down()

    def commands(self) -> Iterable[Command]:
        if self.document is None:
            return
        yield Command(translate("Editor", "Undo"), self.document.undo, "Ctrl+Z")
        yield Command(translate("Editor", "Redo"), self.document.redo, "Ctrl+Shift+Z")
        yield Command(translate("Editor", "Save now"), self.document.save, "Ctrl+S")
        yield Command(translate("Editor", "Export…"), self.export, "Ctrl+E", icon="upload")
        yield Command(translate("Editor", "Write to the preview"), self.preview.focus, "Ctrl+L")
        for spec in self._specs:
            yield Command(translate("Editor", "Show {tab}", tab=spec.title), lambda key=spec.key: self.show_tab(key))

    def panes(self) -> Iterable[QWidget]:
        return (self._stack, self.preview)

    def escape(self) -> bool:
        if self.preview.chat.deny():
            return True
        if self.preview.chat.busy:
            self.preview.chat.stop()
            return True
        return self.preview.close_page()

    def tab(self, key: str) -> Tab:
        """Return a tab, made now if it was never shown."""
        if key not in self._tabs:
            spec = next(spec for spec in self._specs if spec.key == key)
            assert self.work is not None  # there are no tabs before an assistant is open
            made = spec.make(self.shell, self.work)
            self._tabs[key] = made
            self._stack.addWidget(made)
            if self.document is not None:
                made.follow(self.document)
        return self._tabs[key]

    def show_tab(self, key: str) -> None:
        """Show a tab of the form."""
        number = next(at for at, spec in enumerate(self._specs) if spec.key == key)
        if self._bar.currentIndex() != number:
            self._bar.setCurrentIndex(number)
        else:
            self._on_tab(number)

    def export(self) -> None:
        """Open the sheet that seals the assistant into one file."""
        from satchel.builder.editor.export_sheet import ExportSheet

        if self.document is not None:
            self.document.save()
            index = self.work.overview.index if self.work is not None else None
            self.sheet = ExportSheet(self.shell, self, self.document, index)
            self.sheet.open()

    def _open(self, folder: Path) -> None:
        self._end()
        self.folder = folder
        home = self.shell.home
        self.states.show_loading()
        self.shell.operations.run(
            lambda _task: open_draft(folder, home),
            owner=self,
            name="open assistant",
            succeeded=lambda opened: self._show(folder, opened),
            failed=lambda failure: self.states.show_failed(failure, lambda: self._open(folder)),
        )

    def _end(self) -> None:
        """Let go of the assistant that was edited."""
        for tab in self._tabs.values():
            tab.close_down()
            self._stack.removeWidget(tab)
            tab.hide()
            tab.deleteLater()
        self._tabs.clear()
        if self.document is not None:
            self.document.close_down()
            self.document.deleteLater()
            self.document = None
        if self.work is not None:
            self.work.close_down()
            self.work.deleteLater()
            self.work = None

    def _show(self, folder: Path, opened: Opened) -> None:
        if self.folder != folder:
            return
        document = Document(self.shell, folder, opened, self)
        self.document = document
        document.edited.connect(self._on_draft)
        document.shown.connect(self._on_draft)
        document.saved.connect(self._on_saved)
        document.state_changed.connect(self._on_state)
        document.problem_changed.connect(self._on_problem)
        self.work = KnowledgeWork(self.shell, folder, document)
        self.work.read.connect(self.preview.chat.note_knowledge)
        self._on_draft(document.draft)
        self._on_state(document.state, "")
        self.states.show_full()
        self.show_tab(self._specs[self._bar.currentIndex()].key)
        self.preview.begin(document, self.work, editing_folder(folder, self.shell.home) / "preview" / "history.sqlite3")
        self.work.refresh()
        self.shell.operations.run(lambda _task: import_tabs(), owner=document, name="import tabs")
        if opened.recovered:
            self.shell.notify(translate("Editor", "What you wrote last, and was not saved, is here again."))

    def _look_at_disk(self) -> None:
        """Take what another program wrote while another page was shown."""
        document, folder = self.document, self.folder
        if document is None or folder is None:
            return
        self.shell.operations.run(
            lambda _task: read_disk(folder)[0],
            owner=document,
            name="look at disk",
            succeeded=document.take_disk,
        )

    def _form(self) -> QWidget:
        form = QWidget()
        form.setProperty("role", "plain")
        form.setMinimumWidth(_LEAST_FORM)
        column = QVBoxLayout(form)
        column.setContentsMargins(0, 14, 0, 0)
        column.setSpacing(4)
        column.addLayout(self._head())
        self._bar = QTabBar()
        self._bar.setDrawBase(False)
        self._bar.setExpanding(False)
        self._bar.setUsesScrollButtons(False)
        self._bar.setElideMode(Qt.TextElideMode.ElideNone)
        self._bar.setAccessibleName(translate("Editor", "Parts of the assistant"))
        for spec in self._specs:
            self._bar.addTab(spec.title)
        tabs = QWidget()
        tabs.setProperty("role", "bar")
        tabs.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        across = QHBoxLayout(tabs)
        across.setContentsMargins(24, 0, 24, 0)
        across.addWidget(self._bar)
        across.addStretch(1)
        column.addWidget(tabs)
        self._stack = QStackedWidget()
        column.addWidget(self._stack, 1)
        self._bar.currentChanged.connect(self._on_tab)
        return form

    def _head(self) -> QHBoxLayout:
        appearance = self.shell.appearance
        row = QHBoxLayout()
        row.setContentsMargins(24, 0, 24, 0)
        row.setSpacing(12)
        back = IconButton(appearance, "chevron-left", translate("Editor", "Back to the library"))
        back.clicked.connect(lambda: self.shell.open("library"))
        row.addWidget(back)
        self._avatar = Avatar("", "", 32)
        row.addWidget(self._avatar)
        self._title = ElidedLabel("", "section")
        row.addWidget(self._title)
        row.setStretchFactor(self._title, 1)
        self._state_icon = IconLabel(appearance, "check", "muted", 14)
        row.addWidget(self._state_icon)
        self._state = label("", "secondary")
        row.addWidget(self._state)
        self._undo_button = IconButton(
            appearance,
            "undo-2",
            translate("Editor", "Undo"),
            shortcut="Ctrl+Z",
            clicked=lambda: self._go_back(again=False),
        )
        self._redo_button = IconButton(
            appearance,
            "redo-2",
            translate("Editor", "Redo"),
            shortcut="Ctrl+Shift+Z",
            clicked=lambda: self._go_back(again=True),
        )
        row.addWidget(self._undo_button)
        row.addWidget(self._redo_button)
        self.export_button = Button(
            appearance, translate("Editor", "Export…"), icon="upload", clicked=self.export, tip="Ctrl+E"
        )
        row.addWidget(self.export_button)
        return row

    def _go_back(self, *, again: bool) -> None:
        if self.document is not None:
            self.document.redo() if again else self.document.undo()

    def _on_tab(self, number: int) -> None:
        if self.document is not None and number >= 0:
            tab = self.tab(self._specs[number].key)
            self._stack.setCurrentWidget(tab)
            tab.arrive()

    def _on_draft(self, draft: Draft) -> None:
        assistant = draft.assistant
        self._title.set_text(assistant.name or translate("Editor", "No name yet"))
        self._avatar.show_assistant(assistant.name, assistant.id, draft.avatar)
        self.preview.chat.show_draft(draft)
        if self.document is not None:
            self._undo_button.setEnabled(self.document.can_undo)
            self._redo_button.setEnabled(self.document.can_redo)

    def _on_saved(self, _draft: Draft) -> None:
        self.shell.tell_changed("assistants")
        self.preview.chat.note_saved()

    def _on_state(self, state: str, about: str) -> None:
        words = {
            "saved": translate("Editor", "saved"),
            "saving": translate("Editor", "saving …"),
            "problem": translate("Editor", "not saved"),
            "failed": translate("Editor", "not saved"),
        }
        self._state.setText(words[state])
        self._state.setToolTip(plain_tip(about))
        icon: tuple[str, ColourName] = ("check", "muted") if state in {"saved", "saving"} else ("circle-alert", "amber")
        self._state_icon.set_icon(*icon)
        self._state_icon.setVisible(state != "saving")
        if state == "failed":
            self.shell.notify(about)

    def _on_problem(self, key: str, why: str) -> None:
        for tab in self._tabs.values():
            tab.complain(key, why)

    def _on_preview_opened(self, speaker: Speaker) -> None:
        persona = self._tabs.get("persona")
        if isinstance(persona, PersonaTab):
            persona.show_speaker(quotes=speaker.model == READER, context=0)
