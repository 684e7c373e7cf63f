"""The five states of every list and pane: empty, loading, working, failed, full (UI.md)."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QStackedWidget, QVBoxLayout, QWidget

from satchel.builder.language import translate
from satchel.builder.operations import Failure, Step
from satchel.builder.theme.appearance import Appearance
from satchel.builder.widgets.buttons import Button
from satchel.builder.widgets.labels import IconLabel, label

_SKELETON_AFTER_MS = 150


class States(QStackedWidget):
    """Shows `full`, or instead of it why it is not there yet."""

    def __init__(self, appearance: Appearance, full: QWidget) -> None:
        super().__init__()
        self._appearance = appearance
        self.full = full
        self.state = "full"
        self.addWidget(full)
        self._other: QWidget | None = None
        self._late = QTimer(self)
        self._late.setSingleShot(True)
        self._late.setInterval(_SKELETON_AFTER_MS)
        self._late.timeout.connect(self._show_skeleton)
        self._working: _Working | None = None

    def show_full(self) -> None:
        """Show what there is."""
        self._become("full", None)

    def show_loading(self) -> None:
        """Show bars in the place of what comes, if it has not come after 150 ms."""
        self.state = "loading"
        self._late.start()

    def show_empty(
        self, text: str, action: str = "", act: Callable[[], object] | None = None, *, icon: str = "info"
    ) -> None:
        """Show one sentence, and the one action that fills the place."""
        self._become("empty", _message(self._appearance, icon, text, action=action, act=act))

    def show_working(self, step: Step, cancel: Callable[[], object] | None = None) -> None:
        """Show what is being done, how much of it, how long it takes yet, and a way to stop it."""
        if self._working is None or self.state != "working":
            self._working = _Working(self._appearance, cancel)
            self._become("working", self._working)
        self._working.show_step(step)

    def show_failed(self, failure: Failure, retry: Callable[[], object] | None = None) -> None:
        """Show what failed, why, the remedy, a way to try again, and its details to copy."""
        shown = _message(
            self._appearance,
            "circle-alert",
            failure.message,
            detail=failure.advice,
            action=translate("States", "Retry") if retry is not None else "",
            act=retry,
            details=failure.details,
        )
        self._become("failed", shown)

    def _become(self, state: str, widget: QWidget | None) -> None:
        self._late.stop()
        self.state = state
        old, self._other = self._other, widget
        if widget is not None:
            self.addWidget(widget)
        self.setCurrentWidget(widget or self.full)
        if old is not None:
            self.removeWidget(old)
            old.deleteLater()
        if state != "working":
            self._working = None

    def _show_skeleton(self) -> None:
        self._become("loading", _Skeleton(self._appearance))


def words_of(step: Step) -> str:
    """Return "Reading tides.pdf: 112 of 500, about 2 min left"."""
    said = step.stage[:1].upper() + step.stage[1:]
    if step.total:
        said += translate("States", ": {done} of {total}", done=f"{step.done:,}", total=f"{step.total:,}")
    if step.seconds_left is not None:
        said += translate("States", ", {time} left", time=duration(step.seconds_left))
    return said


def duration(seconds: float) -> str:
    """Return "about 40 s", "about 3 min"."""
    if seconds < 90:
        return translate("States", "about {n} s", n=max(1, round(seconds)))
    return translate("States", "about {n} min", n=round(seconds / 60))


class _Working(QWidget):
    def __init__(self, appearance: Appearance, cancel: Callable[[], object] | None) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.setSpacing(10)
        self._words = label("", "muted")
        column.addWidget(self._words, alignment=Qt.AlignmentFlag.AlignHCenter)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(280)
        column.addWidget(self._bar, alignment=Qt.AlignmentFlag.AlignHCenter)
        if cancel is not None:
            button = Button(appearance, translate("States", "Cancel"), clicked=cancel)
            column.addWidget(button, alignment=Qt.AlignmentFlag.AlignHCenter)

    def show_step(self, step: Step) -> None:
        self._words.setText(words_of(step))
        self._bar.setRange(0, step.total or 0)
        self._bar.setValue(step.done if step.total else 0)


class _Skeleton(QWidget):
    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self._appearance = appearance
        self.setAccessibleName(translate("States", "Loading"))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._appearance.colour("sunken"))
        for row in range(4):
            painter.drawRoundedRect(0, row * 60, self.width() - (row % 2) * 120, 44, 8, 8)


def _message(
    appearance: Appearance,
    icon: str,
    text: str,
    *,
    detail: str = "",
    action: str = "",
    act: Callable[[], object] | None = None,
    details: str = "",
) -> QWidget:
    shown = QWidget()
    shown.setAccessibleName(text)
    column = QVBoxLayout(shown)
    column.setAlignment(Qt.AlignmentFlag.AlignCenter)
    column.setSpacing(10)
    column.addWidget(IconLabel(appearance, icon, "faint", 24), alignment=Qt.AlignmentFlag.AlignHCenter)
    for words, role in ((text, ""), (detail, "secondary")):
        if words:
            line = label(words, role, wrap=True, selectable=True)
            line.setMaximumWidth(460)
            line.setMinimumWidth(min(460, line.fontMetrics().horizontalAdvance(words) + 8))
            line.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(line, alignment=Qt.AlignmentFlag.AlignHCenter)
    buttons = QHBoxLayout()
    buttons.setAlignment(Qt.AlignmentFlag.AlignCenter)
    buttons.setSpacing(12)
    if act is not None:
        buttons.addWidget(Button(appearance, action, role="primary", clicked=act))
    if details:
        copy = translate("States", "Copy details")
        buttons.addWidget(Button(appearance, copy, clicked=lambda: QGuiApplication.clipboard().setText(details)))
    column.addLayout(buttons)
    return shown
