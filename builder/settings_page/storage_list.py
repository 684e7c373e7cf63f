"""The table of what takes room."""

from __future__ import annotations

import time

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from satchel.builder.ago import ago
from satchel.builder.language import translate
from satchel.builder.settings_page.storage import StoredItem, delete_item, read_storage, total
from satchel.builder.shell import Shell
from satchel.builder.sizes import size_words
from satchel.builder.states import States
from satchel.builder.widgets.buttons import IconButton
from satchel.builder.widgets.card import Card
from satchel.builder.widgets.labels import ElidedLabel, IconLabel, label, rule

_ICONS = {"model": "box", "pack": "download", "project": "pencil", "chats": "messages-square", "cache": "hard-drive"}
_SIZE, _USED = 90, 120


class StorageList(QWidget):
    """What is deleted is gone when the notice with its Undo has gone."""

    filled = Signal()

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self._shell = shell
        self.items: tuple[StoredItem, ...] = ()
        self._hidden: set[tuple[str, str]] = set()
        self.setProperty("role", "plain")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        self._card = Card(padding=1, spacing=0)
        self.states = States(shell.appearance, self._card)
        column.addWidget(self.states)
        self._total = label("", "secondary")
        column.addWidget(self._total)

    def read(self) -> None:
        """Look at the disk."""
        home = self._shell.home
        if not self.items:
            self.states.show_loading()
        self._shell.operations.run(
            lambda _task: read_storage(home),
            owner=self,
            name="storage",
            succeeded=self._show,
            failed=lambda failure: self.states.show_failed(failure, self.read),
        )

    def delete(self, item: StoredItem) -> None:
        """Hide it at once, and delete it unless that is taken back."""
        key = (item.kind, item.name)
        self._hidden.add(key)
        self._fill()

        def show_again() -> None:
            self._hidden.discard(key)
            self._fill()

        self._shell.notify(
            translate("Storage", "{name} is deleted: {size}.", name=item.name, size=size_words(item.bytes)),
            action=translate("Storage", "Undo"),
            act=show_again,
            otherwise=lambda: self._delete_now(item),
        )

    def _delete_now(self, item: StoredItem) -> None:
        home = self._shell.home

        def done(_nothing: object) -> None:
            self._hidden.discard((item.kind, item.name))
            subjects = {"model": "models", "chats": "chats", "pack": "assistants", "project": "assistants"}
            match subjects.get(item.kind):
                case "models":
                    self._shell.tell_changed("models")
                case "chats":
                    self._shell.tell_changed("chats")
                case "assistants":
                    self._shell.tell_changed("assistants")
            self.read()

        self._shell.operations.run(
            lambda _task: delete_item(item, home),
            owner=self,
            name="delete",
            succeeded=done,
            failed=lambda failure: self._shell.notify(f"{failure.message} {failure.advice}".strip()),
        )

    def _show(self, items: tuple[StoredItem, ...]) -> None:
        self.items = items
        self._fill()
        self.states.show_full()
        self.filled.emit()

    def _fill(self) -> None:
        while (old := self._card.column.takeAt(0)) is not None:
            if (widget := old.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        shown = tuple(item for item in self.items if (item.kind, item.name) not in self._hidden)
        for number, item in enumerate(shown):
            if number:
                self._card.column.addWidget(rule())
            self._card.column.addWidget(self._line(item))
        self._total.setText(translate("Storage", "{size} in all", size=size_words(total(shown))))

    def _line(self, item: StoredItem) -> QWidget:
        line = QWidget()
        line.setProperty("role", "plain")
        line.setAccessibleName(f"{item.name}, {item.about}, {size_words(item.bytes)}")
        across = QHBoxLayout(line)
        across.setContentsMargins(15, 8, 12, 8)
        across.setSpacing(12)
        across.addWidget(IconLabel(self._shell.appearance, _ICONS[item.kind]))
        names = QVBoxLayout()
        names.setSpacing(2)
        names.addWidget(ElidedLabel(item.name, "strong"))
        names.addWidget(ElidedLabel(item.about, "secondary"))
        across.addLayout(names, 1)
        when = translate("Storage", "used {when}", when=ago(item.used, time.time())) if item.used else ""
        for words, width in ((when, _USED), (size_words(item.bytes), _SIZE)):
            cell = label(words, "muted")
            cell.setFixedWidth(width)
            across.addWidget(cell)
        says = translate("Storage", "Delete {name}", name=item.name)
        across.addWidget(IconButton(self._shell.appearance, "trash-2", says, clicked=lambda: self.delete(item)))
        return line
