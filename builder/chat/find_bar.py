"""Ctrl+F in a chat: the messages that hold the words, one after another."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from satchel.builder.chat.transcript import Entry
from satchel.builder.language import translate
from satchel.builder.theme.appearance import Appearance
from satchel.builder.widgets.buttons import IconButton
from satchel.builder.widgets.field import SearchField
from satchel.builder.widgets.labels import label


class FindBar(QWidget):
    """Looks in all messages of the branch, shown or not."""

    row_found = Signal(int)
    closed = Signal()

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self._entries: Sequence[Entry] = ()
        self._rows: list[int] = []
        self._at = 0
        self.setProperty("role", "bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 16, 8)
        row.setSpacing(8)
        self.field = SearchField(appearance, translate("Chat", "Find in this chat"))
        self.field.searched.connect(lambda _typed: self._find())
        row.addWidget(self.field, 1)
        self.count = label("", "secondary")
        row.addWidget(self.count)
        row.addWidget(IconButton(appearance, "chevron-up", translate("Chat", "Before"), clicked=lambda: self.step(-1)))
        row.addWidget(IconButton(appearance, "chevron-down", translate("Chat", "Next"), clicked=lambda: self.step(1)))
        row.addWidget(IconButton(appearance, "x", translate("Chat", "Close"), shortcut="Esc", clicked=self.closed.emit))
        self.hide()

    def look_in(self, entries: Sequence[Entry]) -> None:
        """Look in these messages from now on."""
        self._entries = entries

    def begin(self) -> None:
        """Show the bar with the cursor in it."""
        self.show()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def step(self, by: int) -> None:
        """Go to the next message that was found, or the one before; round at the ends."""
        if self._rows:
            self._at = (self._at + by) % len(self._rows)
            self._tell()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.step(-1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
        else:
            super().keyPressEvent(event)

    def _find(self) -> None:
        typed = self.field.text().casefold()
        self._rows = [number for number, entry in enumerate(self._entries) if typed and typed in entry.text.casefold()]
        self._at = len(self._rows) - 1  # the newest is the likeliest
        self._tell()

    def _tell(self) -> None:
        if not self._rows:
            self.count.setText(translate("Chat", "not found") if self.field.text() else "")
            return
        self.count.setText(translate("Chat", "{n} of {m}", n=self._at + 1, m=len(self._rows)))
        self.row_found.emit(self._rows[self._at])
