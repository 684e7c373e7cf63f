"""The chat's head: whose it is, what it is about, which model answers, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QWidget

from satchel.builder.chat.transcript import READER, model_words
from satchel.builder.language import translate
from satchel.builder.theme.appearance import Appearance
from satchel.builder.widgets.avatar import Avatar
from satchel.builder.widgets.buttons import Button, IconButton
from satchel.builder.widgets.labels import ElidedLabel


class ChatHeader(QWidget):
    """57 pixels high, like the page's beside it."""

    history_wanted = Signal()
    find_wanted = Signal()
    model_chosen = Signal(str)

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self._appearance = appearance
        self.setProperty("role", "bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(57)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 16, 0)
        row.setSpacing(10)
        self.history = IconButton(
            appearance,
            "panel-left",
            translate("Chat", "List of chats"),
            shortcut="Ctrl+H",
            clicked=self.history_wanted.emit,
        )
        row.addWidget(self.history)
        self.avatar = Avatar("", "", 28)
        row.addWidget(self.avatar)
        self.title = ElidedLabel("", "section")
        row.addWidget(self.title, 1)
        self.model = Button(appearance, "", role="chip", icon="box", colour="muted")
        self.model.setToolTip(translate("Chat", "Which model answers"))
        row.addWidget(self.model)
        self.find_button = IconButton(
            appearance,
            "search",
            translate("Chat", "Find in this chat"),
            shortcut="Ctrl+F",
            clicked=self.find_wanted.emit,
        )
        row.addWidget(self.find_button)
        self.more = IconButton(appearance, "ellipsis", translate("Chat", "More"))
        row.addWidget(self.more)

    def set_actions(self, actions: list[tuple[str, str, Callable[[], object]]]) -> None:
        """Fill the menu: what it says, its icon, what it does."""
        menu = QMenu(self.more)
        for says, icon, act in actions:
            action = QAction(self._appearance.icon(icon), says, menu)
            action.triggered.connect(lambda _checked=False, run=act: run())
            menu.addAction(action)
        self.more.setMenu(menu)

    def set_models(self, now: str, known: list[str]) -> None:
        """Show which model answers, and offer the others by their names."""
        self.model.set_text(model_words(now))
        menu = QMenu(self.model)
        for name in dict.fromkeys([READER, *known]):
            action = QAction(model_words(name), menu)
            action.setCheckable(True)
            action.setChecked(name == now)
            action.triggered.connect(lambda _checked=False, wanted=name: self.model_chosen.emit(wanted))
            menu.addAction(action)
        self.model.setMenu(menu)
