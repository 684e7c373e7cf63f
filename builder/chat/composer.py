"""Where a person writes: it grows with the text, sends on Enter, stops an answer that comes."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QInputMethodEvent, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QSizePolicy

from satchel.builder.language import translate
from satchel.builder.theme.appearance import Appearance
from satchel.builder.widgets.buttons import IconButton
from satchel.builder.widgets.card import restyle

_MOST_LINES = 8
_PADDING = 10


class Composer(QFrame):
    """A message being written."""

    sent = Signal(str)
    stopped = Signal()

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self.setProperty("role", "composer")
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 8, 4)
        row.setSpacing(8)
        self.field = _MessageField()
        self.field.enter_pressed.connect(self._send)
        self.field.focused.connect(lambda focused: restyle(self, focused=focused))
        row.addWidget(self.field, 1)
        self.button = IconButton(
            appearance, "send", translate("Chat", "Send"), colour="accent", size=18, clicked=self._press
        )
        row.addWidget(self.button, alignment=Qt.AlignmentFlag.AlignBottom)
        self._busy = False

    @property
    def busy(self) -> bool:
        """Whether an answer is on its way: then the button stops it."""
        return self._busy

    def set_busy(self, busy: bool) -> None:
        """Be the Stop button while an answer comes."""
        self._busy = busy
        if busy:
            self.button.set_icon("square", translate("Chat", "Stop (Esc)"), "text")
        else:
            self.button.set_icon("send", translate("Chat", "Send"), "accent")

    def set_assistant(self, name: str) -> None:
        """Say whom the message is for."""
        text = translate("Chat", "Message {name}", name=name)
        self.field.setPlaceholderText(text)
        self.field.setAccessibleName(text)

    def set_enter_sends(self, enter_sends: bool) -> None:
        """Swap Enter and Ctrl+Enter."""
        self.field.enter_sends = enter_sends

    def _press(self) -> None:
        if self._busy:
            self.stopped.emit()
        else:
            self._send()

    def _send(self) -> None:
        text = self.field.toPlainText().strip()
        if text and not self._busy:
            self.field.clear()
            self.sent.emit(text)


class _MessageField(QPlainTextEdit):
    enter_pressed = Signal()
    focused = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "bare")
        self.enter_sends = True
        self._composing = False
        self.setTabChangesFocus(True)
        self.document().setDocumentMargin(_PADDING // 2)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.document().documentLayout().documentSizeChanged.connect(lambda _size: self._fit())
        self.textChanged.connect(self._fit)
        self._fit()

    def _fit(self) -> None:
        lines = min(_MOST_LINES, max(1, round(self.document().size().height())))
        height = lines * self.fontMetrics().lineSpacing() + _PADDING + 4
        if height != self.height():
            self.setFixedHeight(height)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, self.fontMetrics().lineSpacing() + _PADDING)

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        self._composing = bool(event.preeditString())
        super().inputMethodEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and not self._composing:
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            if not shift and control != self.enter_sends:
                self.enter_pressed.emit()
                return
            self.textCursor().insertText("\n")
            self.ensureCursorVisible()
            return
        super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.focused.emit(True)
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.focused.emit(False)
        super().focusOutEvent(event)
