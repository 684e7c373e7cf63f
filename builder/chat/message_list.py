"""A scrolling column of messages that builds only the widgets near what is seen: 10,000 cost as much as ten.

Heights of messages that were never built are estimates; when a real one replaces it, what is being read stays where
it is on the screen.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from satchel.builder.theme.tokens import TEXT_COLUMN

_AROUND = 600
"""Pixels above and below the view in which widgets are kept ready."""
_AT_ONCE = 40
"""Pixels round the view in which they are built at once; the others follow one by one, while nothing else waits."""
_MARGIN = 32
_TOP, _BOTTOM, _GAP = 24, 24, 14
_WHEEL_STEP = 60

Make = Callable[[int], QWidget]
Estimate = Callable[[int, int], int]
"""Row, width: about how high it will be."""


class MessageList(QAbstractScrollArea):
    """Rows from `make`; the last one may grow while an answer comes."""

    following_changed = Signal(bool)
    """Whether the newest text stays in view."""

    def __init__(self, make: Make, estimate: Estimate) -> None:
        super().__init__()
        self._make, self._estimate = make, estimate
        self._heights: list[int] = []
        self._tops: list[int] = [_TOP]
        self._built: dict[int, QWidget] = {}
        self._measured: set[int] = set()
        self._width = 0
        self.following = True
        self._laying_out = False
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setAutoFillBackground(False)
        self.verticalScrollBar().setSingleStep(_WHEEL_STEP)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._remeasure)
        self._ahead = QTimer(self)
        self._ahead.setSingleShot(True)
        self._ahead.setInterval(0)
        self._ahead.timeout.connect(self._build_ahead)

    @property
    def built(self) -> dict[int, QWidget]:
        """The rows that have a widget now."""
        return self._built

    @property
    def column_width(self) -> int:
        """How wide a row is, in pixels."""
        return self._column_width()

    def reset(self, count: int, *, at_end: bool = True) -> None:
        """Show so many rows, all new."""
        for widget in self._built.values():
            _drop(widget)
        self._built.clear()
        self._measured.clear()
        self._width = self._column_width()
        self._heights = [self._estimate(row, self._width) for row in range(count)]
        self._sum_up(0)
        self._follow(at_end)
        self._arrange()
        if at_end:
            self.to_end()

    def append(self) -> None:
        """Show one more row at the end."""
        self._heights.append(self._estimate(len(self._heights), self._column_width()))
        self._sum_up(len(self._heights) - 1)
        self._arrange()

    def replace(self, row: int) -> None:
        """Build a row anew: it shows something else now."""
        self._measured.discard(row)
        if (widget := self._built.pop(row, None)) is not None:
            _drop(widget)
        self._arrange()

    def cut(self, count: int) -> None:
        """Keep the first rows only."""
        for row in [row for row in self._built if row >= count]:
            _drop(self._built.pop(row))
        self._measured = {row for row in self._measured if row < count}
        del self._heights[count:]
        self._sum_up(count)
        self._arrange()

    def grew(self, row: int) -> None:
        """Measure a row whose text has changed; with `following` its end stays in view."""
        self._measured.discard(row)
        self._arrange()

    def to_end(self) -> None:
        """Go to the newest message and follow it."""
        self._follow(True)
        bar = self.verticalScrollBar()
        for _ in range(3):  # what comes into view is higher or lower than it was estimated
            bar.setValue(bar.maximum())
            self._arrange()

    def show_row(self, row: int) -> None:
        """Bring the beginning of a row into view."""
        self._follow(False)
        for _ in range(3):
            self.verticalScrollBar().setValue(max(0, self._tops[row] - _TOP))
            self._arrange()

    def rows(self) -> int:
        """Return how many rows there are."""
        return len(self._heights)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._column_width() != self._width:
            self._width = self._column_width()
            anchor, offset = self._anchor()
            self._measured.clear()
            self._arrange()
            if not self.following and anchor < len(self._heights):
                self.verticalScrollBar().setValue(self._tops[anchor] + offset)
        self._arrange()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.angleDelta().y() > 0:
            self._follow(False)
        super().wheelEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar = self.verticalScrollBar()
        match event.key():
            case Qt.Key.Key_Home:
                self._follow(False)
                bar.setValue(0)
            case Qt.Key.Key_End:
                self.to_end()
            case Qt.Key.Key_PageUp | Qt.Key.Key_Up:
                self._follow(False)
                bar.setValue(bar.value() - (bar.pageStep() if event.key() == Qt.Key.Key_PageUp else _WHEEL_STEP))
            case Qt.Key.Key_PageDown | Qt.Key.Key_Down:
                bar.setValue(bar.value() + (bar.pageStep() if event.key() == Qt.Key.Key_PageDown else _WHEEL_STEP))
            case _:
                super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # A row whose words or buttons changed by themselves wants another height.
        if event.type() == QEvent.Type.LayoutRequest and not self._laying_out and isinstance(watched, QWidget):
            for row, widget in self._built.items():
                if widget is watched:
                    self._measured.discard(row)
            self._soon.start()
        return False

    def _remeasure(self) -> None:
        self._arrange()

    def _scrolled(self, value: int) -> None:
        if self._laying_out:
            return
        if value >= self.verticalScrollBar().maximum() - 2:
            self._follow(True)
        elif value < self.verticalScrollBar().maximum() - 40:
            self._follow(False)
        self._arrange()

    def _follow(self, following: bool) -> None:
        if following != self.following:
            self.following = following
            self.following_changed.emit(following)

    def _column_width(self) -> int:
        # Of the whole widget: the column stays where it is when a scroll bar comes, and above the message field.
        return max(160, min(TEXT_COLUMN, self.width() - 2 * _MARGIN))

    def _anchor(self) -> tuple[int, int]:
        """Return the first row in view, and how far it is scrolled past."""
        value = self.verticalScrollBar().value()
        row = min(max(0, bisect.bisect_right(self._tops, value) - 1), max(0, len(self._heights) - 1))
        return row, value - self._tops[row]

    def _arrange(self) -> None:
        """Build what is near the view, measure it, drop what is far away, and put everything in its place."""
        if self._laying_out:
            return
        self._laying_out = True
        try:
            self._arrange_once()
        finally:
            self._laying_out = False

    def _arrange_once(self) -> None:
        anchor, offset = self._anchor()
        at_end = self.following
        bar = self.verticalScrollBar()
        for _ in range(2):
            top = self._tops[-1] - self.viewport().height() + _BOTTOM if at_end else self._tops[anchor] + offset
            bottom = top + self.viewport().height()
            lowest = self._build(self._range(top - _AT_ONCE, bottom + _AT_ONCE), self._near(top))
            if lowest is None:
                break
            self._sum_up(lowest)
        total = self._tops[-1] + _BOTTOM
        bar.setPageStep(self.viewport().height())
        bar.setRange(0, max(0, total - self.viewport().height()))
        bar.setValue(bar.maximum() if at_end else self._tops[anchor] + offset)
        self._place()
        self._ahead.start()

    def _build_ahead(self) -> None:
        """Build one more row near the view."""
        if self._laying_out:
            return
        value = self.verticalScrollBar().value()
        first, last = self._near(value)
        shown = self._range(value, value + self.viewport().height())
        # Nearest first: below the view, then above it.
        waiting = [row for row in (*range(shown[1], last), *reversed(range(first, shown[0]))) if row not in self._built]
        if waiting:
            self._laying_out = True
            try:
                self._build((waiting[0], waiting[0] + 1), (first, last))
                anchor, offset = self._anchor()
                self._sum_up(0)
                bar = self.verticalScrollBar()
                bar.setRange(0, max(0, self._tops[-1] + _BOTTOM - self.viewport().height()))
                bar.setValue(bar.maximum() if self.following else self._tops[anchor] + offset)
                self._place()
            finally:
                self._laying_out = False
            if len(waiting) > 1:
                self._ahead.start()

    def _near(self, top: int) -> tuple[int, int]:
        return self._range(top - _AROUND, top + self.viewport().height() + _AROUND)

    def _range(self, top: int, bottom: int) -> tuple[int, int]:
        count = len(self._heights)
        first = max(0, bisect.bisect_right(self._tops, top) - 1)
        last = min(count, bisect.bisect_left(self._tops, bottom))
        return min(first, count), last

    def _build(self, wanted: tuple[int, int], kept: tuple[int, int]) -> int | None:
        """Have widgets of the wanted rows, each measured, and of no row that is not to be kept.

        Returns the lowest row whose height was not as thought.
        """
        for row in [row for row in self._built if not kept[0] <= row < kept[1]]:
            _drop(self._built.pop(row))
            self._measured.discard(row)
        lowest: int | None = None
        for row in range(*wanted):
            if row not in self._built:
                widget = self._make(row)
                widget.setParent(self.viewport())
                widget.installEventFilter(self)
                self._built[row] = widget
                widget.show()
            if row not in self._measured:
                height = self._height_of(self._built[row])
                self._measured.add(row)
                if height != self._heights[row]:
                    self._heights[row] = height
                    lowest = row if lowest is None else min(lowest, row)
        return lowest

    def _height_of(self, widget: QWidget) -> int:
        layout = widget.layout()
        if layout is None:
            return widget.sizeHint().height()
        layout.activate()
        if layout.hasHeightForWidth():
            return layout.totalHeightForWidth(self._width)
        return layout.totalSizeHint().height()

    def _place(self) -> None:
        value = self.verticalScrollBar().value()
        left = max(_MARGIN, (self.width() - self._width) // 2)
        for row, widget in self._built.items():
            at = QPoint(left, self._tops[row] - value)
            wanted = QRect(at.x(), at.y(), self._width, self._heights[row])
            if widget.geometry() != wanted:
                widget.setGeometry(wanted)

    def _sum_up(self, row: int) -> None:
        """Bring the tops up to date from a row on; the last one is where a further row would begin."""
        start = self._tops[row] if row < len(self._tops) else self._tops[-1]
        del self._tops[row:]
        steps = (height + _GAP for height in self._heights[row:])
        self._tops += itertools.accumulate(steps, initial=start)


def _drop(widget: QWidget) -> None:
    widget.hide()
    widget.deleteLater()
