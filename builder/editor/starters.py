"""The conversation starters: a line each, added and removed."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from satchel.builder.editor.tab import show_line
from satchel.builder.language import translate
from satchel.builder.theme.appearance import Appearance
from satchel.builder.widgets.buttons import Button, IconButton
from satchel.builder.widgets.labels import label

MOST = 12
_LONGEST = 200


class Starters(QWidget):
    """Every line is a question that a new chat offers."""

    changed = Signal(list)
    made = Signal(object)
    """A new `QLineEdit`."""

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self._appearance = appearance
        self.setProperty("role", "plain")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._column.addWidget(label(translate("Editor", "Conversation starters"), "secondary"))
        self.lines: list[QLineEdit] = []
        self._rows: list[QWidget] = []
        self.more = Button(
            appearance,
            translate("Editor", "Add a starter"),
            role="link",
            icon="plus",
            colour="accent",
            clicked=self._add_empty,
        )
        self._column.addWidget(self.more, alignment=Qt.AlignmentFlag.AlignLeft)

    def show_starters(self, starters: list[str]) -> None:
        """Show these; lines that are there already keep their cursor."""
        if [line.text() for line in self.lines if line.text().strip()] == starters and self.lines:
            return
        while len(self.lines) > len(starters):
            self._drop(len(self.lines) - 1)
        while len(self.lines) < len(starters):
            self._add_line()
        for line, text in zip(self.lines, starters, strict=True):
            show_line(line, text)

    def _add_empty(self) -> None:
        if len(self.lines) < MOST:
            self._add_line().setFocus()

    def _add_line(self) -> QLineEdit:
        row = QWidget()
        row.setProperty("role", "plain")
        across = QHBoxLayout(row)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(4)
        line = QLineEdit()
        line.setMaxLength(_LONGEST)
        line.setPlaceholderText(translate("Editor", "A question that people may ask"))
        line.setAccessibleName(translate("Editor", "Starter {n}", n=len(self.lines) + 1))
        line.textEdited.connect(lambda _text: self._tell())
        across.addWidget(line, 1)
        remove = IconButton(self._appearance, "x", translate("Editor", "Remove this starter"))
        remove.clicked.connect(lambda: self._remove(row))
        across.addWidget(remove)
        self.lines.append(line)
        self._rows.append(row)
        self._column.insertWidget(self._column.count() - 1, row)
        self.more.setVisible(len(self.lines) < MOST)
        self.made.emit(line)
        return line

    def _remove(self, row: QWidget) -> None:
        self._drop(self._rows.index(row))
        self._tell()

    def _drop(self, number: int) -> None:
        row = self._rows.pop(number)
        self.lines.pop(number)
        row.hide()
        row.deleteLater()
        self.more.setVisible(len(self.lines) < MOST)

    def _tell(self) -> None:
        self.changed.emit([line.text().strip() for line in self.lines if line.text().strip()])
