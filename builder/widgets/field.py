"""Fields: a search box, and a field under its label."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget

from satchel.builder.theme.appearance import Appearance
from satchel.builder.widgets.labels import label

_TYPING_PAUSE_MS = 150


class SearchField(QLineEdit):
    """A line with a magnifying glass; `searched` comes when typing pauses, and at once on Enter or when emptied."""

    searched = Signal(str)

    def __init__(self, appearance: Appearance, placeholder: str) -> None:
        super().__init__()
        self._appearance = appearance
        self.setProperty("role", "search")
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(placeholder)
        self.setClearButtonEnabled(False)
        self._glass = QAction(placeholder, self)
        self.addAction(self._glass, QLineEdit.ActionPosition.LeadingPosition)
        self._tint()
        appearance.changed.connect(self._tint)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_TYPING_PAUSE_MS)
        self._pause.timeout.connect(self._tell)
        self.textChanged.connect(self._typed)
        self.returnPressed.connect(self._tell)

    def _typed(self, text: str) -> None:
        if text:
            self._pause.start()
        else:
            self._tell()

    def _tell(self) -> None:
        self._pause.stop()
        self.searched.emit(self.text())

    def _tint(self) -> None:
        self._glass.setIcon(self._appearance.icon("search", "muted"))


class Field(QWidget):
    """A label, whatever is edited, and a line below that says what is wrong or what it means."""

    def __init__(self, text: str, editor: QWidget, *, hint: str = "") -> None:
        super().__init__()
        self.setProperty("role", "plain")
        self.editor = editor
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self.label: QLabel = label(text, "secondary")
        self.label.setBuddy(editor)
        editor.setAccessibleName(text)
        column.addWidget(self.label)
        column.addWidget(editor)
        self._note = label(hint, "faint", wrap=True)
        self._hint = hint
        column.addWidget(self._note)
        self._note.setVisible(bool(hint))  # not before it has a parent: it would be a window of its own

    def complain(self, problem: str) -> None:
        """Say what is wrong with the value; empty: nothing is."""
        self._note.setText(problem or self._hint)
        self._note.setVisible(bool(problem or self._hint))
        self._note.setProperty("role", "danger" if problem else "faint")
        self._note.style().unpolish(self._note)
        self._note.style().polish(self._note)
