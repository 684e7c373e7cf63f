"""What `settings.toml` says of answers: the default model, when it is unloaded, how much of the computer it gets."""

from __future__ import annotations

from typing import Any

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QGridLayout, QWidget

from satchel.builder.chat.model_choice import models_here
from satchel.builder.chat.transcript import model_words
from satchel.builder.language import translate
from satchel.builder.operations import Failure, Task
from satchel.builder.shell import Shell
from satchel.builder.widgets.field import Field
from satchel.builder.widgets.number import WholeNumber
from satchel.runtime.settings import Settings, load_settings, save_settings

_LONGEST_MINUTES, _MOST_THREADS, _LARGEST_CONTEXT = 1440, 256, 2**20


class AnswerSettings(QWidget):
    """Each field is kept at once; a person's comments in the file stay."""

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self._shell = shell
        self._showing = False
        self.settings = Settings()
        self.setProperty("role", "plain")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(12)
        self.model = QComboBox()
        self.minutes = WholeNumber(
            0, _LONGEST_MINUTES, unit=translate("Settings", " min"), zero=translate("Settings", "never")
        )
        self.threads = WholeNumber(0, _MOST_THREADS, zero=translate("Settings", "as many as there are cores"))
        self.context = WholeNumber(
            0,
            _LARGEST_CONTEXT,
            unit=translate("Settings", " tokens"),
            step=1024,
            zero=translate("Settings", "as it fits"),
        )
        for place, (says, editor, hint) in enumerate(
            (
                (
                    translate("Settings", "Default model"),
                    self.model,
                    translate("Settings", "answers where an assistant names no other"),
                ),
                (
                    translate("Settings", "Unload it when unused for"),
                    self.minutes,
                    translate("Settings", "gives its memory back"),
                ),
                (translate("Settings", "Threads"), self.threads, ""),
                (translate("Settings", "Context window"), self.context, ""),
            )
        ):
            field = Field(says, editor, hint=hint)
            grid.addWidget(field, place // 2, place % 2, alignment=Qt.AlignmentFlag.AlignTop)
        self.model.activated.connect(lambda _at: self._take(default_model=self.model.currentData()))
        self.minutes.valueChanged.connect(lambda value: self._take(unload_minutes=value))
        self.threads.valueChanged.connect(lambda value: self._take(threads=value))
        self.context.valueChanged.connect(lambda value: self._take(context=value))

    def read(self) -> None:
        """Read the file, and which models there are."""
        home = self._shell.home

        def work(_task: Task) -> tuple[Settings, list[str]]:
            return load_settings(home.settings), models_here(home)

        self._shell.operations.run(work, owner=self, name="settings", succeeded=self._show, failed=self._failed)

    def _show(self, read: tuple[Settings, list[str]]) -> None:
        self.settings, names = read
        self._showing = True
        self.model.clear()
        self.model.addItem(translate("Settings", "None: quotes from the files"), "")
        default = self.settings.default_model
        for name in dict.fromkeys([*names, *([default] if default else [])]):
            self.model.addItem(model_words(name), name)
        self.model.setCurrentIndex(self.model.findData(default))
        self.minutes.setValue(round(self.settings.unload_minutes))
        self.threads.setValue(self.settings.threads)
        self.context.setValue(self.settings.context)
        self.setEnabled(True)
        self._showing = False

    def _take(self, **changes: Any) -> None:
        if self._showing:
            return
        self.settings = msgspec.structs.replace(self.settings, **changes)
        home = self._shell.home

        def work(_task: Task) -> None:
            # What else is in the file may have been changed meanwhile.
            save_settings(home.settings, msgspec.structs.replace(load_settings(home.settings), **changes))

        self._shell.operations.run(
            work,
            owner=self,
            name="save settings",
            succeeded=lambda _nothing: self._shell.tell_changed("settings"),
            failed=self._failed,
        )

    def _failed(self, failure: Failure) -> None:
        self.setEnabled(False)
        self._shell.notify(f"{failure.message} {failure.advice}".strip())
