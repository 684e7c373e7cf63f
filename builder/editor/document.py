"""The draft that a form edits: it saves itself, can be undone, and survives the window's end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec
from PySide6.QtCore import QObject, QTimer, Signal

from satchel.builder.editor.draft import Draft, merged, problem_of
from satchel.builder.editor.saving import Opened, drop_journal, save_draft, write_journal
from satchel.builder.editor.undo import Undo
from satchel.builder.operations import Failure
from satchel.builder.shell import Shell
from satchel.runtime.errors import SatchelError

State: TypeAlias = Literal["saved", "saving", "problem", "failed"]
_PAUSE_MS = 500


class Document(QObject):
    """One assistant's draft. Widgets call `edit`, and show themselves anew on `shown`."""

    edited = Signal(object)
    """The draft, after a change in the form."""
    shown = Signal(object)
    """The draft, when the form has to show it: after undo, redo, and what another program changed."""
    saved = Signal(object)
    """The draft, once it is in the project's files."""
    state_changed = Signal(str, str)
    """`State`, and what it is about: why it cannot be saved."""
    problem_changed = Signal(str, str)
    """The key that is wrong, and why; two empty texts: none is."""

    def __init__(self, shell: Shell, folder: Path, opened: Opened, parent: QObject) -> None:
        super().__init__(parent)
        self._shell, self.folder = shell, folder
        self.draft = opened.draft
        self._disk = opened.disk
        self.cases_problem = opened.cases_problem
        self.state: State = "saved"
        self._undo = Undo()
        self._saving = False
        self._waiting: list[Callable[[], object]] = []
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self.save)
        if self.draft != self._disk:
            self._pause.start()

    @property
    def is_saved(self) -> bool:
        """Whether the project's files say what the form says."""
        return self.draft == self._disk

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back."""
        return self._undo.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether something was taken back."""
        return self._undo.can_redo

    def edit(self, field: str, **changes: Any) -> None:
        """Take other keys of `assistant.toml`; `field` names what was changed, for undo."""
        self._take(field, self.draft.but(**changes))

    def edit_part(self, part: str, field: str, **changes: Any) -> None:
        """Take other keys of a table: `edit_part("retrieval", "k", k=4)`."""
        table = msgspec.structs.replace(getattr(self.draft.assistant, part), **changes)
        self._take(f"{part}.{field}", self.draft.but(**{part: table}))

    def edit_beside(self, field: str, **changes: Any) -> None:
        """Take other instructions, cases, or another picture."""
        self._take(field, replace(self.draft, **changes))

    def undo(self) -> None:
        """Take the last step back."""
        if (before := self._undo.undo(self.draft)) is not None:
            self._go_to(before)

    def redo(self) -> None:
        """Take it again."""
        if (after := self._undo.redo(self.draft)) is not None:
            self._go_to(after)

    def save(self) -> None:
        """Write the draft into the project's files, off this thread; one write at a time."""
        self._pause.stop()
        if self._saving or self.is_saved or problem_of(self.draft)[0]:
            return
        self._saving = True
        self._become("saving")
        folder, base, draft = self.folder, self._disk, self.draft
        self._shell.operations.run(
            lambda _task: save_draft(folder, base, draft),
            owner=self,
            name="save",
            succeeded=lambda disk: self._on_saved(draft, disk),
            failed=self._on_failed,
        )

    def when_saved(self, act: Callable[[], object]) -> None:
        """Do something with the project's files once they say what the form says, or now where it cannot be saved."""
        if self.is_saved or problem_of(self.draft)[0]:
            act()
        else:
            self._waiting.append(act)
            self.save()

    def close_down(self) -> None:
        """Write what is not written yet, now."""
        self._pause.stop()
        if not self.is_saved and not problem_of(self.draft)[0]:
            try:
                self._disk = save_draft(self.folder, self._disk, self.draft)
            except SatchelError:
                return  # the journal has it
            drop_journal(self.folder, self._shell.home)

    def take_disk(self, disk: Draft) -> None:
        """Show what another program wrote, where the form has nothing unsaved."""
        if self.is_saved and disk != self._disk:
            self._disk = self.draft = disk
            self.shown.emit(disk)

    def _take(self, field: str, draft: Draft) -> None:
        if draft == self.draft:
            return
        self._undo.note(self.draft, field, time.monotonic())
        self.draft = draft
        self._changed()

    def _go_to(self, draft: Draft) -> None:
        self.draft = draft
        self.shown.emit(draft)
        self._changed()

    def _changed(self) -> None:
        try:
            write_journal(self.folder, self._shell.home, self._disk, self.draft)
        except OSError as error:
            self._become("failed", (error.strerror or str(error)).lower())
        key, why = problem_of(self.draft)
        self.problem_changed.emit(key, why)
        if key:
            self._become("problem", why)
        else:
            self._become("saving")
            self._pause.start()
        self.edited.emit(self.draft)

    def _on_saved(self, draft: Draft, disk: Draft) -> None:
        self._saving = False
        self._disk = disk
        went_on = self.draft != draft
        self.draft = merged(draft, self.draft, disk)
        if not went_on:
            drop_journal(self.folder, self._shell.home)
            self._become("saved")
            if disk != draft:
                self.shown.emit(disk)
            self.saved.emit(disk)
            waiting, self._waiting = self._waiting, []
            for act in waiting:
                act()
        elif self._waiting:
            self.save()
        else:
            self._pause.start()

    def _on_failed(self, failure: Failure) -> None:
        self._saving = False
        self._waiting = []
        self._become("failed", f"{failure.message} {failure.advice}".strip())

    def _become(self, state: State, about: str = "") -> None:
        self.state = state
        self.state_changed.emit(state, about)
