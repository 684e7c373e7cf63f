"""An assistant's picture, or its initials on a colour that its id gives."""

from __future__ import annotations

import zlib

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPainterPath, QPaintEvent, QPixmap
from PySide6.QtWidgets import QWidget

from satchel.builder.theme.tokens import AVATARS, ON_AVATAR


def initials(name: str) -> str:
    """Return the first two letters of a name: "As" for "Astronomy tutor"."""
    letters = [character for character in name if character.isalnum()]
    return (letters[0].upper() + letters[1].lower() if len(letters) > 1 else "".join(letters).upper()) or "?"


def avatar_colour(identity: str) -> str:
    """Return the colour that goes with an assistant's id; it stays through renames."""
    return AVATARS[zlib.crc32(identity.encode()) % len(AVATARS)]


class Avatar(QWidget):
    """A rounded square, `size` pixels wide."""

    def __init__(self, name: str, identity: str, size: int, picture: bytes = b"") -> None:
        super().__init__()
        self.setFixedSize(size, size)
        self._pixmap = QPixmap()
        self.show_assistant(name, identity, picture)

    def show_assistant(self, name: str, identity: str, picture: bytes = b"") -> None:
        """Show another assistant; a picture that cannot be read becomes initials."""
        self._letters, self._colour = initials(name), avatar_colour(identity)
        self._pixmap = QPixmap()
        if picture:
            self._pixmap.loadFromData(picture)
        self.setAccessibleName(name)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        size = self.width()
        path = QPainterPath()
        path.addRoundedRect(QRectF(self.rect()), max(5.0, size / 5), max(5.0, size / 5))
        painter.setClipPath(path)
        if not self._pixmap.isNull():
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(self.rect(), self._pixmap)
            return
        painter.fillPath(path, QColor(self._colour))
        font = QFont(self.font())
        font.setPixelSize(max(9, round(size * 0.4)))
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(QColor(ON_AVATAR))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._letters)
