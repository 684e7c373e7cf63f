"""What can be done with a card: duplicate, delete with undo, sort."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from satchel.builder.language import translate
from satchel.builder.library.shelf import Order
from satchel.builder.operations import Failure, Task
from satchel.builder.shell import Shell
from satchel.runtime.commands.library import LibraryEntry, forget_folder, list_library, show_sample
from satchel.runtime.paths import Home


class LibraryActions(QObject):
    """Deleting hides a card at once; the disk is touched when the notice with its Undo has gone."""

    hidden_changed = Signal()

    def __init__(self, shell: Shell, parent: QObject) -> None:
        super().__init__(parent)
        self._shell = shell
        self.hidden: set[str] = set()
        """References of assistants that are being deleted."""

    def sort_menu(self, parent: QWidget, chosen: Callable[[Order], object]) -> QMenu:
        """Return the menu of orders; the one in use is checked."""
        menu = QMenu(parent)
        group = QActionGroup(menu)
        orders: list[tuple[Order, str]] = [
            ("used", translate("Library", "Last used first")),
            ("name", translate("Library", "By name")),
            ("changed", translate("Library", "Last saved first")),
        ]
        for order, says in orders:
            action = QAction(says, menu)
            action.setCheckable(True)
            action.setChecked(order == self._shell.preferences.sort)
            action.triggered.connect(lambda _checked=False, wanted=order: chosen(wanted))
            group.addAction(action)
            menu.addAction(action)
        return menu

    def duplicate(self, entry: LibraryEntry) -> None:
        """Make an editable copy with the next free name."""
        home = self._shell.home

        def work(task: Task) -> str:
            from satchel.runtime.commands.aside import Aside

            name = name_of_copy(entry.name, {other.name for other in list_library(home)})
            with Aside(home) as aside:
                task.when_cancelled(aside.cancel)
                aside.duplicate(entry.reference, name, progress=task.progress)
            return name

        def done(name: str) -> None:
            self._shell.tell_changed("assistants")
            self._shell.notify(translate("Library", "{name} is yours to change.", name=name))

        self._shell.notify(translate("Library", "Copying {name} …", name=entry.name))
        self._run(work, done, "duplicate")

    def delete(self, entry: LibraryEntry) -> None:
        """Hide an assistant, and delete it unless the person takes that back."""
        self._hide(entry.reference)
        kept = entry.kind == "project" and not entry.own_folder
        said = translate("Library", "{name} is out of the library; its folder stays.", name=entry.name)
        deleted = translate("Library", "{name} is deleted. Its chats stay.", name=entry.name)
        self._shell.notify(
            said if kept else deleted,
            action=translate("Library", "Undo"),
            act=lambda: self._show_again(entry.reference),
            otherwise=lambda: self._delete_now(entry),
        )

    def restore_sample(self) -> None:
        """Show the sample assistant again."""
        show_sample(self._shell.home, shown=True)
        self._shell.tell_changed("assistants")

    def _delete_now(self, entry: LibraryEntry) -> None:
        home = self._shell.home

        def done(_nothing: object) -> None:
            self.hidden.discard(entry.reference)
            self._shell.tell_changed("assistants")

        self._run(lambda _task: delete_entry(entry, home), done, "delete", undo=entry.reference)

    def _run(
        self, work: Callable[[Task], object], done: Callable[[str], None], name: str, undo: str | None = None
    ) -> None:
        def failed(failure: Failure) -> None:
            if undo is not None:
                self._show_again(undo)
            self._shell.notify(f"{failure.message} {failure.advice}".strip())

        self._shell.operations.run(work, owner=self, name=name, succeeded=done, failed=failed)

    def _hide(self, reference: str) -> None:
        self.hidden.add(reference)
        self.hidden_changed.emit()

    def _show_again(self, reference: str) -> None:
        self.hidden.discard(reference)
        self.hidden_changed.emit()


def delete_entry(entry: LibraryEntry, home: Home) -> None:
    """Delete an assistant from the disk: a pack from the store, a project of Satchel's own folder, else the mention."""
    from satchel.runtime.commands.remove import remove

    if entry.kind == "sample":
        show_sample(home, shown=False)
    elif entry.kind == "pack":
        remove(entry.reference, home)
    elif entry.own_folder:
        shutil.rmtree(entry.reference)
    else:
        forget_folder(Path(entry.reference), home)


def name_of_copy(name: str, taken: set[str]) -> str:
    """Return "Tide tutor 2", with the first number that is free."""
    number = 2
    while f"{name} {number}" in taken:
        number += 1
    return f"{name} {number}"
