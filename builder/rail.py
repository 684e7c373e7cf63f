"""The narrow rail at the left: where you are, and where you can go."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QVBoxLayout, QWidget

from satchel.builder.pages import PageSpec
from satchel.builder.theme.appearance import Appearance
from satchel.builder.theme.tokens import CORNER, RAIL_LABEL, RAIL_WIDTH, ColourName

_ENTRY = QSize(60, 53)


class Rail(QWidget):
    """Entries with icons and labels; arrow keys move between them."""

    chosen = Signal(str)

    def __init__(self, appearance: Appearance, specs: tuple[PageSpec, ...]) -> None:
        super().__init__()
        self._appearance = appearance
        self.setFixedWidth(RAIL_WIDTH)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 12, 6, 10)
        column.setSpacing(4)
        self._group = QButtonGroup(self)
        self._entries: dict[str, _Entry] = {}
        for place in ("top", "bottom"):
            for spec in specs:
                if spec.rail == place:
                    entry = _Entry(appearance, spec)
                    entry.clicked.connect(lambda _checked=False, key=spec.key: self.chosen.emit(key))
                    self._group.addButton(entry)
                    self._entries[spec.key] = entry
                    column.addWidget(entry)
            if place == "top":
                column.addStretch(1)
        appearance.changed.connect(self.update)

    def light(self, key: str) -> None:
        """Mark the entry of the page that is shown."""
        if key in self._entries:
            self._entries[key].setChecked(True)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._appearance.colour("surface"))
        painter.setPen(self._appearance.colour("line"))
        painter.drawLine(self.width() - 1, 0, self.width() - 1, self.height())


class _Entry(QAbstractButton):
    def __init__(self, appearance: Appearance, spec: PageSpec) -> None:
        super().__init__()
        self._appearance, self._icon_name = appearance, spec.icon
        self.setText(spec.title)
        self.setAccessibleName(spec.title)
        self.setCheckable(True)
        self.setFixedSize(_ENTRY)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def sizeHint(self) -> QSize:
        return _ENTRY

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        if self.isChecked() or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._appearance.colour("soft_accent" if self.isChecked() else "sunken"))
            painter.drawRoundedRect(QRectF(self.rect()), CORNER, CORNER)
        if self.hasFocus():
            painter.setPen(QPen(self._appearance.colour("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box, CORNER, CORNER)
        ink: ColourName = "accent" if self.isChecked() else "muted"
        pixmap = self._appearance.pixmap(self._icon_name, ink, 20, self.devicePixelRatioF())
        painter.drawPixmap((self.width() - 20) // 2, 8, pixmap)
        font = QFont(self.font())
        font.setPixelSize(RAIL_LABEL)
        font.setWeight(QFont.Weight.DemiBold if self.isChecked() else QFont.Weight.Normal)
        painter.setFont(font)
        painter.setPen(self._appearance.colour(ink))
        painter.drawText(self.rect().adjusted(0, 29, 0, -4), int(Qt.AlignmentFlag.AlignCenter), self.text())
