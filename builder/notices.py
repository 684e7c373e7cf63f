"""One line at the bottom that says what happened, with Undo; it goes by itself, and what it undoes is done then."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from satchel.builder.language import translate
from satchel.builder.theme.appearance import Appearance
from satchel.builder.widgets.buttons import Button, IconButton
from satchel.builder.widgets.labels import ElidedLabel

_SECONDS = 8
_WIDTH, _HEIGHT = 420, 44
_ABOVE_BOTTOM = 92
"""Above the message field of a chat: a notice must not lie over what is being written."""


class Notices:
    """At most one notice is there at a time; the next one settles the one before."""

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        self._appearance, self._parent = appearance, parent
        self._shown: QFrame | None = None
        self._otherwise: Callable[[], object] | None = None
        self._timer = QTimer(parent)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SECONDS * 1000)
        self._timer.timeout.connect(self.settle)

    @property
    def shown(self) -> QFrame | None:
        """The notice that is there."""
        return self._shown

    def show(
        self,
        text: str,
        action: str,
        act: Callable[[], object] | None,
        otherwise: Callable[[], object] | None,
    ) -> None:
        """Show a notice in the place of the one that is there."""
        self.settle()

        def undo() -> None:
            self._take_away()
            if act is not None:
                act()

        notice = QFrame(self._parent)
        notice.setProperty("role", "notice")
        notice.setAccessibleName(text)
        row = QHBoxLayout(notice)
        row.setContentsMargins(16, 0, 8, 0)
        row.setSpacing(12)
        row.addWidget(ElidedLabel(text), 1)
        if action:
            row.addWidget(Button(self._appearance, action, role="link", clicked=undo))
        row.addWidget(IconButton(self._appearance, "x", translate("Notice", "Dismiss"), clicked=self.settle))
        self._shown, self._otherwise = notice, otherwise
        self.place()
        notice.show()
        notice.raise_()
        self._timer.start()

    def settle(self) -> None:
        """Take the notice away; what it could have undone is done now."""
        otherwise = self._otherwise
        self._take_away()
        if otherwise is not None:
            otherwise()

    def place(self) -> None:
        """Keep it at the bottom of the parent, in the middle."""
        if self._shown is not None:
            width = min(_WIDTH, self._parent.width() - 48)
            left = (self._parent.width() - width) // 2
            self._shown.setGeometry(left, self._parent.height() - _HEIGHT - _ABOVE_BOTTOM, width, _HEIGHT)

    def _take_away(self) -> None:
        self._timer.stop()
        notice, self._shown, self._otherwise = self._shown, None, None
        if notice is not None:
            notice.hide()
            notice.deleteLater()
