"""Widgets that arrange their children: chips that flow onto further lines, and cards in equal columns."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget


class _Arranged(QWidget):
    """What both have: children in the order in which they were added."""

    def __init__(self, spacing: int) -> None:
        super().__init__()
        self.setProperty("role", "plain")
        self._spacing = spacing
        self._children: list[QWidget] = []
        # Not `Fixed`: that would be held to the height at the width before, while a window becomes narrower.
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    @property
    def widgets(self) -> list[QWidget]:
        """The children, in their order."""
        return list(self._children)

    def add(self, widget: QWidget) -> None:
        """Put a widget after the others."""
        widget.setParent(self)
        self._children.append(widget)
        widget.show()
        self._changed()

    def clear(self) -> None:
        """Take all of them out, and delete them."""
        children, self._children = self._children, []
        for child in children:
            child.hide()
            child.deleteLater()
        self._changed()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._arrange(width, place=False)

    def sizeHint(self) -> QSize:
        width = self.width() if self.width() > 100 else 600
        return QSize(self.minimumSizeHint().width(), self._arrange(width, place=False))

    def minimumSizeHint(self) -> QSize:
        return QSize(60, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange(self.width(), place=True)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._changed()
        return super().event(event)

    def _changed(self) -> None:
        self._arrange(self.width(), place=True)
        self.updateGeometry()

    def _arrange(self, width: int, *, place: bool) -> int:
        """Return the height at a width; with `place`, put the children there."""
        raise NotImplementedError  # not an abstract method: Qt's own metaclass admits no other


class FlowBox(_Arranged):
    """Children side by side at their own size, on as many lines as they need."""

    def __init__(self, spacing: int = 8) -> None:
        super().__init__(spacing)

    def _arrange(self, width: int, *, place: bool) -> int:
        x = y = line = 0
        for child in self._children:
            hint = child.sizeHint()
            wide = min(hint.width(), width)
            if x and x + wide > width:
                x, y, line = 0, y + line + self._spacing, 0
            if place:
                child.setGeometry(QRect(x, y, wide, hint.height()))
            x += wide + self._spacing
            line = max(line, hint.height())
        return y + line


class CardGrid(_Arranged):
    """Children of one height in as many columns as fit, which share the whole width."""

    def __init__(self, *, least_width: int = 300, height: int = 154, spacing: int = 16) -> None:
        super().__init__(spacing)
        self._least_width, self._height = least_width, height

    def columns(self, width: int) -> int:
        """Return how many columns there are at a width."""
        return max(1, (width + self._spacing) // (self._least_width + self._spacing))

    def _arrange(self, width: int, *, place: bool) -> int:
        columns = self.columns(width)
        column_width = (width - self._spacing * (columns - 1)) / columns
        for number, child in enumerate(self._children if place else ()):
            row, column = divmod(number, columns)
            left = round(column * (column_width + self._spacing))
            child.setGeometry(QRect(left, row * (self._height + self._spacing), round(column_width), self._height))
        rows = -(-len(self._children) // columns)
        return rows * self._height + max(0, rows - 1) * self._spacing
