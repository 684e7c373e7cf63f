"""Numbers that are typed: no arrows, and the wheel scrolls the page unless one is being edited."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QSpinBox

_INDENT = 8


class WholeNumber(QSpinBox):
    """A whole number; `zero` is what the least value says in words."""

    def __init__(self, least: int, most: int, *, unit: str = "", step: int = 1, zero: str = "") -> None:
        super().__init__()
        self.setRange(least, most)
        self.setSingleStep(step)
        self.setSuffix(unit)
        self.setSpecialValueText(zero)
        _prepare(self)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class DecimalNumber(QDoubleSpinBox):
    """A number with two decimals."""

    def __init__(self, least: float, most: float, *, step: float) -> None:
        super().__init__()
        self.setDecimals(2)
        self.setRange(least, most)
        self.setSingleStep(step)
        _prepare(self)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


def _prepare(box: QAbstractSpinBox) -> None:
    box.setKeyboardTracking(False)
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    box.lineEdit().setTextMargins(_INDENT, 0, 0, 0)  # a style sheet's padding does not reach it
