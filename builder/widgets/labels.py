"""Texts: a label of a role, one that shortens itself, an icon."""

from __future__ import annotations

import html

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QWidget

from satchel.builder.theme.appearance import Appearance
from satchel.builder.theme.tokens import ColourName


def label(text: str = "", role: str = "", *, wrap: bool = False, selectable: bool = False) -> QLabel:
    """Return a label of plain text in a role of the style sheet; nothing in the text is taken for markup."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("role", role)
    made.setWordWrap(wrap)
    if wrap:
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        made.setSizePolicy(policy)
    if selectable:
        made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made


def plain_tip(text: str) -> str:
    """Return what makes a tooltip show a text as it is: Qt takes `<img src=…>` in one for markup, and loads it."""
    if "<" not in text and "&" not in text:
        return text
    return "<qt>" + html.escape(text).replace("\n", "<br>") + "</qt>"


def rule() -> QFrame:
    """Return a thin line between two rows."""
    line = QFrame()
    line.setProperty("role", "rule")
    line.setFixedHeight(1)
    return line


class ElidedLabel(QLabel):
    """One line that ends in "…" where it does not fit; the whole of it is its tooltip then."""

    def __init__(self, text: str = "", role: str = "") -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", role)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.set_text(text)

    def set_text(self, text: str) -> None:
        """Show another text."""
        one_line = " ".join(text.split())
        self.setText(one_line)
        self.setAccessibleName(one_line)

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + 2, super().sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(self.palette().color(self.foregroundRole()))
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        self.setToolTip(plain_tip(self.text()) if shown != self.text() else "")
        painter.drawText(self.rect(), int(self.alignment() | Qt.AlignmentFlag.AlignVCenter), shown)


class IconLabel(QWidget):
    """An icon that is no button."""

    def __init__(self, appearance: Appearance, name: str, colour: ColourName = "muted", size: int = 16) -> None:
        super().__init__()
        self._appearance, self._name, self._colour, self._size = appearance, name, colour, size
        self.setFixedSize(size, size)
        appearance.changed.connect(self.update)

    def set_icon(self, name: str, colour: ColourName | None = None) -> None:
        """Show another one."""
        self._name, self._colour = name, colour or self._colour
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.drawPixmap(
            0, 0, self._appearance.pixmap(self._name, self._colour, self._size, self.devicePixelRatioF())
        )
