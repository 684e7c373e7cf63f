"""A box of fixed-width text, wrapped, as high as its text up to a limit; what does not fit scrolls."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontDatabase, QPalette, QResizeEvent, QTextCharFormat, QTextCursor, QTextOption
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QSizePolicy, QTextEdit, QVBoxLayout

from satchel.builder.theme.appearance import Appearance
from satchel.builder.theme.tokens import SECONDARY

_PADDING = 12


class FixedBox(QFrame):
    """Shows a text exactly as it is; spans of it may be marked."""

    def __init__(
        self,
        appearance: Appearance,
        text: str,
        name: str,
        *,
        marks: Sequence[tuple[int, int]] = (),
        most: int = 180,
    ) -> None:
        """`name` is what screen readers say; `most` is the height in pixels from which the text scrolls."""
        super().__init__()
        self.setProperty("role", "code")
        self._appearance, self._marks = appearance, tuple(marks)
        column = QVBoxLayout(self)
        column.setContentsMargins(_PADDING, 8, 4, 8)
        self.field = _FixedText(text, most)
        self.field.setAccessibleName(name)
        column.addWidget(self.field)
        self._mark()
        appearance.changed.connect(self._mark)

    @property
    def text(self) -> str:
        """What it shows."""
        return self.field.toPlainText()

    def set_most(self, pixels: int) -> None:
        """Scroll from another height on."""
        self.field.set_most(pixels)

    def _mark(self) -> None:
        palette = self.field.palette()
        palette.setColor(QPalette.ColorRole.Text, self._appearance.colour("text"))
        self.field.setPalette(palette)
        selections = []
        for start, end in self._marks:
            selection = QTextEdit.ExtraSelection()
            cursor = QTextCursor(self.field.document())
            cursor.setPosition(start)
            cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            look = QTextCharFormat()
            look.setBackground(self._appearance.colour("mark"))
            selection.cursor, selection.format = cursor, look
            selections.append(selection)
        self.field.setExtraSelections(selections)


class _FixedText(QPlainTextEdit):
    def __init__(self, text: str, most: int) -> None:
        super().__init__(text)
        self._most = most
        self.setProperty("role", "bare")
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPixelSize(SECONDARY)
        self.setFont(font)
        self.document().setDocumentMargin(0)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_most(self, pixels: int) -> None:
        """Scroll from another height on."""
        self._most = pixels
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    def sizeHint(self) -> QSize:
        return QSize(200, self.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(80, self.fontMetrics().lineSpacing())

    def _fit(self) -> None:
        """Be as high as the lines are at this width: a plain document's height is counted in lines."""
        lines = max(1, round(self.document().size().height()))
        height = min(self._most, lines * self.fontMetrics().lineSpacing() + 4)
        if height != self.height():
            self.setFixedHeight(height)
