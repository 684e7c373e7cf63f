"""The page "Settings"."""

from __future__ import annotations

import importlib.metadata

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QRadioButton, QScrollArea, QVBoxLayout, QWidget

from satchel.builder.language import translate
from satchel.builder.page import Page
from satchel.builder.settings_page.answers import AnswerSettings
from satchel.builder.settings_page.storage_list import StorageList
from satchel.builder.shell import Shell
from satchel.builder.widgets.card import Card
from satchel.builder.widgets.labels import label
from satchel.builder.widgets.tick import Tick

_WIDTH = 760
_DISTRIBUTION = "satchel-assistants"


class SettingsPage(Page):
    """What is changed is kept at once."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 0)
        column.setSpacing(16)
        column.addWidget(label(translate("Settings", "Settings"), "title"))
        content = QWidget()
        content.setProperty("role", "plain")
        content.setMaximumWidth(_WIDTH)
        inner = QVBoxLayout(content)
        inner.setContentsMargins(0, 0, 0, 24)
        inner.setSpacing(10)
        self.answers = AnswerSettings(shell)
        self.storage = StorageList(shell)
        for title, part in (
            (translate("Settings", "Appearance"), self._appearance()),
            (translate("Settings", "Answers"), _boxed(self.answers)),
            (translate("Settings", "Storage"), self.storage),
            (translate("Settings", "About"), self._about()),
        ):
            inner.addWidget(label(title, "section"))
            inner.addWidget(part)
            inner.addSpacing(10)
        inner.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(content)
        column.addWidget(scroll, 1)
        shell.changed.connect(self._on_changed)

    def arrive(self, **_arguments: object) -> None:
        self.answers.read()
        self.storage.read()

    def _appearance(self) -> Card:
        card = Card(spacing=12)
        row = QHBoxLayout()
        row.setSpacing(20)
        group = QButtonGroup(card)
        self.themes: dict[str, QRadioButton] = {}
        for choice, says in (
            ("system", translate("Settings", "As the system")),
            ("light", translate("Settings", "Light")),
            ("dark", translate("Settings", "Dark")),
        ):
            button = QRadioButton(says)
            button.setAccessibleName(says)
            button.setChecked(self.shell.preferences.appearance == choice)
            button.toggled.connect(lambda on, wanted=choice: self.shell.prefer(appearance=wanted) if on else None)
            group.addButton(button)
            self.themes[choice] = button
            row.addWidget(button)
        row.addStretch(1)
        card.column.addLayout(row)
        self.enter = Tick(
            self.shell.appearance, translate("Settings", "Enter sends a message, Shift+Enter breaks the line")
        )
        self.enter.setChecked(self.shell.preferences.enter_sends)
        self.enter.toggled.connect(lambda on: self.shell.prefer(enter_sends=on))
        card.column.addWidget(self.enter)
        self.still = Tick(self.shell.appearance, translate("Settings", "Nothing moves that need not"))
        self.still.setChecked(self.shell.preferences.reduced_motion)
        self.still.toggled.connect(lambda on: self.shell.prefer(reduced_motion=on))
        card.column.addWidget(self.still)
        return card

    def _about(self) -> Card:
        card = Card(spacing=4)
        version = translate("Settings", "Satchel {version}", version=_version())
        card.column.addWidget(label(version, "strong"))
        for line in (
            translate("Settings", "Assistants from your own files, on your own computer. Licence: Apache-2.0."),
            translate("Settings", "Icons: Lucide, ISC. Engine: llama.cpp, MIT. Window: Qt for Python, LGPL-3.0."),
            translate("Settings", "Nothing leaves this computer unless you or something that you allowed asks for it."),
            translate("Settings", "Your data: {folder}", folder=str(self.shell.home.data)),
        ):
            card.column.addWidget(label(line, "secondary", wrap=True, selectable=True))
        return card

    def _on_changed(self, subject: str) -> None:
        if not self.isVisible():
            return
        if subject in {"models", "settings"}:
            self.answers.read()
        if subject != "settings":
            self.storage.read()


def _boxed(part: QWidget) -> Card:
    card = Card()
    card.column.addWidget(part)
    return card


def _version() -> str:
    try:
        return importlib.metadata.version(_DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return translate("Settings", "from a checkout")
