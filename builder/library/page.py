"""The library: cards, search, sort, import, recent chats."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from satchel.builder.commands import Command
from satchel.builder.language import translate
from satchel.builder.library.actions import LibraryActions
from satchel.builder.library.cards import AssistantCard, ChatRow, MenuEntry
from satchel.builder.library.shelf import RECENT, Order, Shelf, arrange, facts, find_chats, read_shelf, remembered_shelf
from satchel.builder.operations import Failure, Task
from satchel.builder.page import Page
from satchel.builder.shell import Shell
from satchel.builder.states import States
from satchel.builder.widgets.buttons import Button, IconButton
from satchel.builder.widgets.card import Card
from satchel.builder.widgets.field import SearchField
from satchel.builder.widgets.flow import CardGrid
from satchel.builder.widgets.labels import IconLabel, label, rule
from satchel.runtime.commands.library import LibraryEntry

_LOOK_UP_AFTER_MS, _WARM_UP_AFTER_MS = 100, 400


class LibraryPage(Page):
    """Made first, so nothing heavy is imported here: the shelf is read on a thread."""

    filled = Signal()
    """The assistants are on the page; told again when they changed."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.shelf = Shelf()
        self.cards: list[AssistantCard] = []
        self._reading = False
        self._again = False
        self._first_read = False
        self._left_out: set[str] = set()
        self.actions_of = LibraryActions(shell, self)
        self.actions_of.hidden_changed.connect(self._fill)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 0)
        column.setSpacing(16)
        column.addLayout(self._header())
        self._content = QWidget()
        self._content.setProperty("role", "plain")
        inner = QVBoxLayout(self._content)
        inner.setContentsMargins(0, 0, 0, 24)
        inner.setSpacing(0)
        self._grid = CardGrid()
        inner.addWidget(self._grid)
        inner.addSpacing(26)
        self._recent_title = label(translate("Library", "Recent chats"), "section")
        inner.addWidget(self._recent_title)
        inner.addSpacing(10)
        self._recent = Card(padding=1, spacing=0)
        inner.addWidget(self._recent)
        inner.addSpacing(14)
        inner.addWidget(self._hint())
        inner.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(self._content)
        self.states = States(shell.appearance, scroll)
        column.addWidget(self.states, 1)
        shell.changed.connect(self._on_changed)

    def arrive(self, **_arguments: object) -> None:
        self.read()

    def read(self) -> None:
        """Read the shelf anew; while it is being read, once more afterwards."""
        if self._reading:
            self._again = True
            return
        self._reading = True
        if not self._first_read and (remembered := remembered_shelf(self.shell.home)).entries:
            self._take(remembered)
            # First the window is drawn and answers; then what has changed since is looked up.
            QTimer.singleShot(_LOOK_UP_AFTER_MS, self, self._look_up)
        else:
            self._look_up()
        if not self._first_read:
            QTimer.singleShot(_WARM_UP_AFTER_MS, self, self._warm_up)
        self._first_read = True

    def _warm_up(self) -> None:
        """Import what a chat needs while the person looks at the cards: opening the first one would wait for it."""

        def work(_task: Task) -> None:
            import satchel.builder.chat.page  # noqa: F401 - for its being there

        self.shell.operations.run(work, owner=self, name="warm up")

    def _look_up(self) -> None:
        home = self.shell.home
        if not self.shelf.entries:
            self.states.show_loading()
        self.shell.operations.run(
            lambda _task: read_shelf(home), owner=self, name="library", succeeded=self._show, failed=self._failed
        )

    def commands(self) -> Iterable[Command]:
        new = translate("Library", "New assistant")
        yield Command(new, lambda: self.shell.open("new"), "Ctrl+N", icon="plus")
        yield Command(translate("Library", "Import a pack…"), self.choose_pack, "Ctrl+O", icon="download")
        yield Command(translate("Library", "Search assistants and chats"), self.search.setFocus, "Ctrl+F")

    def panes(self) -> Iterable[QWidget]:
        return (self.search, self._content)

    def choose_pack(self) -> None:
        """Let the person pick a `.pack` file, and go to its review."""
        title = translate("Library", "Import a pack")
        chosen, _ = QFileDialog.getOpenFileName(self, title, "", translate("Library", "Packs (*.pack)"))
        if chosen:
            self.shell.open("import", path=chosen)

    def escape(self) -> bool:
        if self.search.text():
            self.search.clear()
            return True
        return False

    def _header(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(label(translate("Library", "Library"), "title"))
        row.addStretch(1)
        appearance = self.shell.appearance
        self.search = SearchField(appearance, translate("Library", "Search assistants and chats"))
        self.search.setFixedWidth(260)
        self.search.searched.connect(lambda _typed: self._fill())
        row.addWidget(self.search)
        self.sort = IconButton(appearance, "arrow-up-down", translate("Library", "Sort"))
        self.sort.setMenu(self.actions_of.sort_menu(self.sort, self._sort_by))
        self.sort.setFixedSize(32, 32)
        row.addWidget(self.sort)
        row.addWidget(
            Button(appearance, translate("Library", "Import…"), icon="download", clicked=self.choose_pack, tip="Ctrl+O")
        )
        row.addWidget(
            Button(
                appearance,
                translate("Library", "New assistant"),
                role="primary",
                icon="plus",
                clicked=lambda: self.shell.open("new"),
                tip="Ctrl+N",
            )
        )
        self.buttons = row
        return row

    def _hint(self) -> QWidget:
        place = QWidget()
        place.setProperty("role", "plain")
        row = QHBoxLayout(place)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(IconLabel(self.shell.appearance, "circle-check", "muted"))
        row.addWidget(
            label(
                translate("Library", "Answers are quotes from your files until you add a language model."), "secondary"
            )
        )
        models = translate("Library", "Models")
        row.addWidget(Button(self.shell.appearance, models, role="link", clicked=lambda: self.shell.open("models")))
        row.addStretch(1)
        return place

    def _sort_by(self, order: Order) -> None:
        self.shell.prefer(sort=order)
        self._fill()

    def _on_changed(self, subject: str) -> None:
        if subject in {"assistants", "chats"}:
            self.read()

    def _show(self, shelf: Shelf) -> None:
        if shelf != self.shelf or self._left_out != self.actions_of.hidden:
            self._take(shelf)
        self._read_done()

    def _take(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self._fill()
        self.filled.emit()

    def _failed(self, failure: Failure) -> None:
        self._read_done()
        self.states.show_failed(failure, self.read)

    def _read_done(self) -> None:
        self._reading = False
        if self._again:
            self._again = False
            self.read()

    def _fill(self) -> None:
        typed = self.search.text()
        order: Order = self.shell.preferences.sort
        hidden = self._left_out = set(self.actions_of.hidden)
        entries = [entry for entry in arrange(self.shelf.entries, typed, order) if entry.reference not in hidden]
        chats = find_chats(self.shelf.chats, typed)
        self._clear()
        for entry in entries:
            card = AssistantCard(self.shell.appearance, entry, facts(entry, quotes=True), self._menu(entry))
            card.opened.connect(lambda of=entry: self._open(of))
            self.cards.append(card)
            self._grid.add(card)
        shown = chats[: RECENT if not typed else 20]
        for number, recent in enumerate(shown):
            if number:
                self._recent.column.addWidget(rule())
            row = ChatRow(recent)
            row.opened.connect(lambda chat=recent.id: self.shell.open("chat", chat=chat))
            self._recent.column.addWidget(row)
        self._recent.setVisible(bool(shown))
        self._recent_title.setVisible(bool(shown))
        if entries or shown:
            self.states.show_full()
        elif typed:
            text = translate("Library", "No assistant or chat holds “{typed}”.", typed=typed)
            self.states.show_empty(text, translate("Library", "Show all"), self.search.clear, icon="search")
        else:
            self.states.show_empty(
                translate("Library", "There are no assistants yet. Import a pack, or drop one on this window."),
                translate("Library", "Bring the sample assistant back"),
                self.actions_of.restore_sample,
                icon="library",
            )

    def _clear(self) -> None:
        self.cards = []
        self._grid.clear()
        while (item := self._recent.column.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()

    def _menu(self, entry: LibraryEntry) -> list[MenuEntry]:
        actions = self.actions_of
        entries: list[MenuEntry] = []
        if not entry.problem:
            entries.append((translate("Library", "New chat"), "messages-square", lambda: self._open(entry)))
            if entry.kind == "project":
                folder = entry.reference
                edit = translate("Library", "Edit")
                entries.append((edit, "pencil", lambda: self.shell.open("editor", folder=folder)))
            entries.append((translate("Library", "Duplicate"), "copy", lambda: actions.duplicate(entry)))
        away = entry.kind == "project" and not entry.own_folder
        says = translate("Library", "Take out of the library") if away else translate("Library", "Delete")
        entries.append((says, "trash-2", lambda: actions.delete(entry)))
        return entries

    def _open(self, entry: LibraryEntry) -> None:
        if entry.problem:
            self.shell.notify(entry.problem)
        else:
            self.shell.open("chat", reference=entry.reference)
