"""Layouts: chips that flow onto further lines, and cards in equal columns."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget


class _ItemLayout(QLayout):
    """What both have: a list of items."""

    def __init__(self, parent: QWidget | None, spacing: int) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self.setSpacing(spacing)
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def heightForWidth(self, width: int) -> int:
        return self._arrange(QRect(0, 0, width, 0), place=False)

    def setGeometry(self, rectangle: QRect) -> None:
        super().setGeometry(rectangle)
        self._arrange(rectangle, place=True)

    def _shown(self) -> list[QLayoutItem]:
        return [item for item in self._items if not item.isEmpty()]

    def _arrange(self, within: QRect, *, place: bool) -> int:
        raise NotImplementedError


class FlowLayout(_ItemLayout):
    """Items side by side at their own size, on as many lines as they need."""

    def __init__(self, parent: QWidget | None = None, spacing: int = 8) -> None:
        super().__init__(parent, spacing)

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self._shown():
            size = size.expandedTo(item.minimumSize())
        return size

    def _arrange(self, within: QRect, *, place: bool) -> int:
        x, y, line = within.x(), within.y(), 0
        for item in self._shown():
            hint = item.sizeHint()
            width = min(hint.width(), within.width()) if within.width() > 0 else hint.width()
            if x > within.x() and x + width > within.right() + 1:
                x, y, line = within.x(), y + line + self.spacing(), 0
            if place:
                item.setGeometry(QRect(QPoint(x, y), QSize(width, hint.height())))
            x += width + self.spacing()
            line = max(line, hint.height())
        return y + line - within.y()


class CardGrid(_ItemLayout):
    """Items of one size in as many columns as fit, which share the whole width."""

    def __init__(
        self, parent: QWidget | None = None, *, least_width: int = 300, height: int = 154, spacing: int = 16
    ) -> None:
        super().__init__(parent, spacing)
        self._least_width, self._height = least_width, height

    def columns(self, width: int) -> int:
        """Return how many columns there are at a width."""
        return max(1, (width + self.spacing()) // (self._least_width + self.spacing()))

    def minimumSize(self) -> QSize:
        return QSize(self._least_width, self._height)

    def _arrange(self, within: QRect, *, place: bool) -> int:
        shown = self._shown()
        columns = self.columns(within.width())
        gap = self.spacing()
        width = (within.width() - gap * (columns - 1)) / columns
        for number, item in enumerate(shown) if place else ():
            row, column = divmod(number, columns)
            left = within.x() + round(column * (width + gap))
            item.setGeometry(QRect(left, within.y() + row * (self._height + gap), round(width), self._height))
        rows = -(-len(shown) // columns)
        return rows * self._height + max(0, rows - 1) * gap
