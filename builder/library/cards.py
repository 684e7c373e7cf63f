"""An assistant's card, and a recent chat's row."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from satchel.builder.ago import ago
from satchel.builder.language import translate
from satchel.builder.library.shelf import Fact, RecentChat, origin
from satchel.builder.theme.appearance import Appearance
from satchel.builder.widgets.avatar import Avatar
from satchel.builder.widgets.buttons import IconButton
from satchel.builder.widgets.card import CardButton
from satchel.builder.widgets.chip import Chip
from satchel.builder.widgets.labels import ElidedLabel, label, plain_tip
from satchel.runtime.commands.library import LibraryEntry

MenuEntry = tuple[str, str, Callable[[], object]]
"""What it says, its icon, what it does."""


class AssistantCard(CardButton):
    """Picture, name, where it is from, what it is for, and a few facts."""

    def __init__(self, appearance: Appearance, entry: LibraryEntry, facts: list[Fact], menu: list[MenuEntry]) -> None:
        super().__init__(entry.name, spacing=8)
        self.entry = entry
        self.setAccessibleDescription(entry.problem or entry.description)
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(Avatar(entry.name, entry.id, 40, entry.avatar))
        names = QVBoxLayout()
        names.setSpacing(2)
        names.addStretch(1)
        names.addWidget(ElidedLabel(entry.name, "name"))
        names.addWidget(ElidedLabel(origin(entry, time.time()), "secondary"))
        names.addStretch(1)
        head.addLayout(names, 1)
        more = IconButton(appearance, "ellipsis", translate("Library", "More about {name}", name=entry.name))
        more.setMenu(self._menu(appearance, more, menu))
        self.more = more
        head.addWidget(more, alignment=Qt.AlignmentFlag.AlignVCenter)
        self.column.addLayout(head)
        about = label(entry.problem or entry.description, "muted", wrap=True)
        about.setAlignment(Qt.AlignmentFlag.AlignTop)
        about.setFixedHeight(2 * about.fontMetrics().lineSpacing() + 6)
        about.setToolTip(plain_tip(entry.description) if len(entry.description) > 90 else "")
        self.column.addWidget(about)
        self.column.addStretch(1)
        chips = QHBoxLayout()
        chips.setSpacing(6)
        for fact in facts:
            chips.addWidget(Chip(appearance, fact.text, icon=fact.icon, tone=fact.tone))
        chips.addStretch(1)
        self.column.addLayout(chips)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(lambda at: more.menu().popup(self.mapToGlobal(at)))

    def _menu(self, appearance: Appearance, parent: QWidget, entries: list[MenuEntry]) -> QMenu:
        menu = QMenu(parent)
        for says, icon, act in entries:
            action = QAction(appearance.icon(icon), says, menu)
            action.triggered.connect(lambda _checked=False, run=act: run())
            menu.addAction(action)
        return menu


class ChatRow(CardButton):
    """A recent chat: whose, what about, how long ago."""

    def __init__(self, recent: RecentChat) -> None:
        super().__init__(recent.title, padding=0)
        self.setProperty("role", "row")
        self.recent = recent
        self.setFixedHeight(42)
        row = QHBoxLayout()
        row.setContentsMargins(18, 0, 18, 0)
        row.setSpacing(20)
        row.addWidget(Avatar(recent.assistant, recent.assistant_id, 24, recent.avatar))
        row.addWidget(ElidedLabel(recent.title), 1)
        when = label(ago(recent.updated, time.time()), "secondary")
        when.setFixedWidth(110)
        row.addWidget(when)
        self.column.addLayout(row)
