"""A box to tick: drawn by itself, because a style sheet cannot tint the mark in it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox

from satchel.builder.theme.appearance import Appearance

_BOX, _SPACE = 16, 8


class Tick(QCheckBox):
    """Words with a box before them; partly ticked shows a bar."""

    def __init__(self, appearance: Appearance, text: str = "", *, name: str = "") -> None:
        super().__init__(text.replace("&", "&&"))
        self._appearance, self._words = appearance, text
        self.setAccessibleName(name or text)
        appearance.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        width = _BOX + 2
        if self._words:
            width += _SPACE + self.fontMetrics().horizontalAdvance(self._words) + 2
        return QSize(width, max(_BOX + 4, self.fontMetrics().height() + 2))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def hitButton(self, pos: object) -> bool:
        del pos
        return True

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = self._appearance.colour
        top = (self.height() - _BOX) / 2
        box = QRectF(1, top, _BOX, _BOX)
        on = self.checkState() != Qt.CheckState.Unchecked
        inside = box.adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(colour("accent" if on or self.hasFocus() else "faint"), 2 if self.hasFocus() else 1))
        painter.setBrush(colour("accent") if on and self.isEnabled() else colour("surface"))
        painter.drawRoundedRect(inside, 4, 4)
        if self.hasFocus() and on:
            painter.setPen(QPen(colour("on_accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(inside.adjusted(1.5, 1.5, -1.5, -1.5), 2.5, 2.5)
        if self.checkState() == Qt.CheckState.Checked:
            mark = self._appearance.pixmap("check", "on_accent", 12, self.devicePixelRatioF())
            painter.drawPixmap(round(box.left()) + 2, round(box.top()) + 2, mark)
        elif on:
            painter.fillRect(QRectF(box.left() + 4, box.center().y() - 1, _BOX - 8, 2), colour("on_accent"))
        painter.setPen(colour("text" if self.isEnabled() else "faint"))
        words = self.rect().adjusted(_BOX + 2 + _SPACE, 0, 0, 0)
        painter.drawText(words, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), self._words)
