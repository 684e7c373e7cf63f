"""The page "Models"."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from satchel.builder.commands import Command
from satchel.builder.language import translate
from satchel.builder.models_page.download import OfferLine
from satchel.builder.models_page.installed import InstalledTable
from satchel.builder.models_page.model_rows import InstalledRow, installed_rows, machine_words, offer_rows
from satchel.builder.operations import Failure, Task
from satchel.builder.page import Page
from satchel.builder.shell import Shell
from satchel.builder.sizes import size_words
from satchel.builder.states import States
from satchel.builder.widgets.buttons import Button
from satchel.builder.widgets.card import Card
from satchel.builder.widgets.field import SearchField
from satchel.builder.widgets.labels import IconLabel, label, plain_tip, rule
from satchel.runtime.commands.doctor import doctor, explain
from satchel.runtime.commands.models_link import link_model, unlink_model
from satchel.runtime.commands.models_list import ModelList, list_usable
from satchel.runtime.commands.models_remove import remove_model
from satchel.runtime.engine.choice import STARTER
from satchel.runtime.engine.client import EngineClient
from satchel.runtime.engine.devices import Machine
from satchel.runtime.errors import SatchelError
from satchel.runtime.paths import Home
from satchel.runtime.settings import load_settings, save_settings


@dataclass(frozen=True, slots=True)
class _Seen:
    listed: ModelList
    machine: Machine | None


class ModelsPage(Page):
    """Models of this disk, and the catalogue; nothing is fetched until asked."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._seen: _Seen | None = None
        self.offers: list[OfferLine] = []
        self.setAcceptDrops(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 0)
        column.setSpacing(12)
        column.addLayout(self._header())
        self._content = QWidget()
        self._content.setProperty("role", "plain")
        inner = QVBoxLayout(self._content)
        inner.setContentsMargins(0, 0, 0, 24)
        inner.setSpacing(12)
        inner.addWidget(self._machine_card())
        inner.addSpacing(6)
        inner.addWidget(label(translate("Models", "On this computer"), "section"))
        self.table = InstalledTable(shell.appearance)
        self.table.use_wanted.connect(self.use)
        self.table.remove_wanted.connect(self.remove)
        inner.addWidget(self.table)
        self._none = label("", "muted", wrap=True)
        inner.addWidget(self._none)
        inner.addSpacing(6)
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(label(translate("Models", "To download"), "section"))
        self._list_of = label("", "faint")
        head.addWidget(self._list_of)
        head.addStretch(1)
        inner.addLayout(head)
        self._catalogue = Card(padding=1, spacing=0)
        inner.addWidget(self._catalogue)
        inner.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(self._content)
        self.states = States(shell.appearance, scroll)
        column.addWidget(self.states, 1)

    def arrive(self, **_arguments: object) -> None:
        self.read()

    def commands(self) -> Iterable[Command]:
        yield Command(translate("Models", "Search models"), self.search.setFocus, "Ctrl+F")
        yield Command(translate("Models", "Add a model's file…"), self.choose_file, "Ctrl+O")

    def panes(self) -> Iterable[QWidget]:
        return (self.search, self._content)

    def escape(self) -> bool:
        if self.search.text():
            self.search.clear()
            return True
        return False

    def read(self) -> None:
        """Look for models; nothing is loaded."""
        home = self.shell.home
        if self._seen is None:
            self.states.show_loading()
        self.shell.operations.run(
            lambda _task: _look(home),
            owner=self,
            name="models",
            succeeded=self._show,
            failed=lambda failure: self.states.show_failed(failure, self.read),
        )

    def use(self, row: InstalledRow) -> None:
        """Make a model the default."""
        home = self.shell.home
        name = STARTER if row.model.source == STARTER else row.model.name

        def work(_task: Task) -> None:
            save_settings(home.settings, msgspec.structs.replace(load_settings(home.settings), default_model=name))

        said = translate("Models", "{name} answers from now on, in new chats.", name=row.title)
        self._run(work, said)

    def remove(self, row: InstalledRow) -> None:
        """Delete what Satchel pulled, once the notice with its Undo has gone; take out of the list what it did not."""
        home, path, name = self.shell.home, Path(row.model.path), row.model.name
        if row.removal == "unlink":
            said = translate("Models", "{name} is out of the list; its file stays.", name=row.title)
            self._run(lambda _task: unlink_model(path, home), said)
            return
        self.table.show_rows([line.row for line in self.table.lines if line.row != row])
        self.shell.notify(
            translate(
                "Models", "{name} is deleted, {size} are free.", name=row.title, size=size_words(row.model.bytes)
            ),
            action=translate("Models", "Undo"),
            act=self.read,
            otherwise=lambda: self._run(lambda _task: remove_model(name, home), ""),
        )

    def choose_file(self) -> None:
        """Let the person pick a GGUF file; it stays where it lies."""
        title = translate("Models", "Choose a model")
        chosen, _ = QFileDialog.getOpenFileName(self, title, "", translate("Models", "Models (*.gguf)"))
        if chosen:
            self.add(Path(chosen))

    def add(self, path: Path) -> None:
        """Use a GGUF file, or those of a folder, where they lie."""
        home = self.shell.home
        said = translate("Models", "{name} can be used where it lies.", name=path.name)
        self._run(lambda _task: link_model(path, home), said)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(_may_be_model(Path(url.toLocalFile())) for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        for url in event.mimeData().urls():
            if _may_be_model(path := Path(url.toLocalFile())):
                event.acceptProposedAction()
                self.add(path)

    def show_plan(self) -> None:
        """Show how each model would be loaded, with the sums; a second time hides it."""
        if self._plan.isVisible():
            self._plan.hide()
            self.plan_button.set_text(translate("Models", "Show the plan and its sums"))
            return
        home = self.shell.home
        self.plan_button.setEnabled(False)

        def show(lines: list[str]) -> None:
            self.plan_button.setEnabled(True)
            self._plan.setText("\n".join(lines))
            self._plan.show()
            self.plan_button.set_text(translate("Models", "Hide the plan"))

        self.shell.operations.run(
            lambda _task: explain(doctor(home)), owner=self, name="plan", succeeded=show, failed=self._failed
        )

    def _run(self, work: Callable[[Task], object], said: str) -> None:
        def done(_nothing: object) -> None:
            if said:
                self.shell.notify(said)
            self.shell.tell_changed("models")
            self.shell.tell_changed("settings")
            self.read()

        self.shell.operations.run(work, owner=self, name="model", succeeded=done, failed=self._failed)

    def _failed(self, failure: Failure) -> None:
        self.plan_button.setEnabled(True)
        self.shell.notify(f"{failure.message} {failure.advice}".strip())

    def _show(self, seen: _Seen) -> None:
        self._seen = seen
        strong, rest = machine_words(seen.machine)
        self._machine.setText(strong)
        self._machine_rest.setText(rest)
        made = translate("Models", "good open models · list of {month}", month=seen.listed.catalogue_made[:7])
        self._list_of.setText(made)
        self._list_of.setToolTip(plain_tip(seen.listed.catalogue_how))
        self._fill()
        self.states.show_full()

    def _fill(self) -> None:
        if self._seen is None:
            return
        typed = self.search.text()
        rows = installed_rows(self._seen.listed, self._seen.machine, self.shell.home, typed)
        self.table.show_rows(rows)
        self.table.setVisible(bool(rows))
        none = translate("Models", "There is no language model here yet: answers are exact quotes from the files.")
        if not self._seen.listed.starter.installed:
            none += " " + self._seen.listed.starter.how
        self._none.setText(translate("Models", "No model is called so.") if typed else none)
        self._none.setVisible(not rows)
        if not any(line.is_running for line in self.offers):
            self._fill_offers(typed)

    def _fill_offers(self, typed: str) -> None:
        assert self._seen is not None  # see `_fill`
        while (item := self._catalogue.column.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.offers = []
        for number, row in enumerate(offer_rows(self._seen.listed, typed)):
            if number:
                self._catalogue.column.addWidget(rule())
            line = OfferLine(self.shell, row)
            line.finished.connect(self._on_fetched)
            line.dropped.connect(self.read)
            self.offers.append(line)
            self._catalogue.column.addWidget(line)
        self._catalogue.setVisible(bool(self.offers))

    def _on_fetched(self) -> None:
        self.shell.tell_changed("models")
        self.read()

    def _header(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(label(translate("Models", "Models"), "title"))
        row.addStretch(1)
        self.search = SearchField(self.shell.appearance, translate("Models", "Search"))
        self.search.setFixedWidth(240)
        self.search.searched.connect(lambda _typed: self._fill())
        row.addWidget(self.search)
        add = translate("Models", "Add a file…")
        row.addWidget(Button(self.shell.appearance, add, icon="folder-open", clicked=self.choose_file, tip="Ctrl+O"))
        return row

    def _machine_card(self) -> Card:
        card = Card(padding=14)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(IconLabel(self.shell.appearance, "cpu", "muted", 18))
        self._machine = label("", "strong")
        row.addWidget(self._machine)
        self._machine_rest = label("", "muted", wrap=True)
        row.addWidget(self._machine_rest, 1)
        says = translate("Models", "Show the plan and its sums")
        self.plan_button = Button(self.shell.appearance, says, role="link", clicked=self.show_plan)
        row.addWidget(self.plan_button)
        card.column.addLayout(row)
        self._plan = label("", "secondary", wrap=True, selectable=True)
        card.column.addWidget(self._plan)
        self._plan.hide()
        return card


def _look(home: Home) -> _Seen:
    listed = list_usable(home, load_settings(home.settings))
    try:
        with EngineClient() as engine:
            return _Seen(listed, engine.machine())
    except SatchelError:
        return _Seen(listed, None)


def _may_be_model(path: Path) -> bool:
    return path.suffix.casefold() == ".gguf" or (path.is_dir() and any(path.glob("*.gguf")))
