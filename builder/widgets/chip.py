"""A chip: a few words in a rounded box that tell one fact."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from satchel.builder.theme.appearance import Appearance
from satchel.builder.theme.tokens import SECONDARY, ColourName

_TONES: dict[str, tuple[ColourName, ColourName]] = {
    "": ("sunken", "muted"),
    "accent": ("soft_accent", "accent"),
    "amber": ("soft_amber", "amber"),
}
_HEIGHT, _PAD, _ICON, _SPACE = 22, 8, 13, 5


class Chip(QWidget):
    """Words, perhaps with an icon. Tones: "" (a fact), `accent` (good, yours), `amber` (needs you)."""

    def __init__(self, appearance: Appearance, text: str, *, icon: str = "", tone: str = "") -> None:
        super().__init__()
        self._appearance, self._text, self._icon = appearance, text, icon
        self._back, self._ink = _TONES[tone]
        font = QFont(self.font())
        font.setPixelSize(SECONDARY)
        self.setFont(font)
        self.setAccessibleName(text)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        appearance.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        extra = _ICON + _SPACE if self._icon else 0
        return QSize(self.fontMetrics().horizontalAdvance(self._text) + 2 * _PAD + extra + 1, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self.sizeHint().width(), 48), _HEIGHT)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._appearance.colour(self._back))
        painter.drawRoundedRect(QRectF(0, 0, self.width(), _HEIGHT), _HEIGHT / 2, _HEIGHT / 2)
        left = _PAD
        if self._icon:
            pixmap = self._appearance.pixmap(self._icon, self._ink, _ICON, self.devicePixelRatioF())
            painter.drawPixmap(left, (_HEIGHT - _ICON) // 2, pixmap)
            left += _ICON + _SPACE
        painter.setPen(self._appearance.colour(self._ink))
        room = self.rect().adjusted(left, 0, -_PAD, 0)
        shown = self.fontMetrics().elidedText(self._text, Qt.TextElideMode.ElideRight, room.width() + 1)
        painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), shown)
