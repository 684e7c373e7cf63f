"""What a tab of the editor is: a scrolling column that shows a draft and edits it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from satchel.builder.editor.document import Document
from satchel.builder.editor.draft import Draft
from satchel.builder.shell import Shell

_UNDO_KEYS = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)


class Tab(QScrollArea):
    """A tab; `column` is where its widgets go."""

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self.shell = shell
        self.document: Document | None = None
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        content = QWidget()
        content.setProperty("role", "plain")
        self.column = QVBoxLayout(content)
        self.column.setContentsMargins(24, 20, 24, 24)
        self.column.setSpacing(16)
        self.setWidget(content)
        self._filter = _FieldFilter(self)

    def follow(self, document: Document) -> None:
        """Edit this document from now on."""
        self.document = document
        for box in self.findChildren(QComboBox):
            box.installEventFilter(self._filter)
        for number in self.findChildren(QAbstractSpinBox):
            self.undoable(number.lineEdit())
        document.shown.connect(self.show_draft)
        self.show_draft(document.draft)

    def show_draft(self, draft: Draft) -> None:
        """Show a draft; what is shown already stays as it is, cursor and all."""

    def arrive(self) -> None:
        """Be shown in front of the other tabs."""

    def complain(self, key: str, why: str) -> None:
        """Say at its field what is wrong; an empty key: nothing is."""

    def close_down(self) -> None:
        """End what runs: another assistant is opened, or the window closes."""

    def undoable(self, field: QWidget) -> None:
        """Let a text field leave undo and redo to the form, so that there is one history."""
        field.installEventFilter(self._filter)


class _FieldFilter(QObject):
    """Keeps undo for the form, and the wheel for scrolling: a choice must not change because it came under it."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        is_key = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if is_key and any(event.matches(key) for key in _UNDO_KEYS):
            event.ignore()
            return True
        return super().eventFilter(watched, event)


def show_line(field: QLineEdit, text: str) -> None:
    """Show a text in a line; the same text leaves the cursor where it is."""
    if field.text() != text:
        field.blockSignals(True)
        field.setText(text)
        field.blockSignals(False)


def show_text(field: QPlainTextEdit, text: str) -> None:
    """Show a text by changing only what differs, so that neither scrolling nor cursor jump."""
    old = field.toPlainText()
    if old == text:
        return
    start = 0
    while start < min(len(old), len(text)) and old[start] == text[start]:
        start += 1
    end = 0
    while end < min(len(old), len(text)) - start and old[-1 - end] == text[-1 - end]:
        end += 1
    field.blockSignals(True)
    cursor = field.textCursor()
    cursor.setPosition(_units(old[:start]))
    cursor.setPosition(_units(old[: len(old) - end]), cursor.MoveMode.KeepAnchor)
    cursor.insertText(text[start : len(text) - end])
    field.blockSignals(False)
    if field.hasFocus():
        field.setTextCursor(cursor)
    elif not old:
        field.moveCursor(cursor.MoveOperation.Start)


def _units(text: str) -> int:
    """Return how many of Qt's characters (UTF-16) a text is."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
