"""Drive the app's window as a person does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QWidget

from satchel.builder.window import Window
from satchel.runtime.commands.library import sample_pack

W = TypeVar("W", bound=QWidget)
PATIENCE_MS = 60_000


class Driver:
    """A window and the hands on it."""

    def __init__(self, qtbot: Any, window: Window) -> None:
        self.qtbot, self.window = qtbot, window
        self.shell = window.shell

    @property
    def page(self) -> Any:
        """The page that is shown."""
        return self.window.page

    def until(self, condition: Callable[[], object]) -> None:
        """Let the window live until something is so."""
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=PATIENCE_MS)

    def idle(self) -> None:
        """Wait until no operation runs."""
        self.until(lambda: not self.shell.operations.busy)

    def find(self, kind: type[W], name: str, within: QWidget | None = None) -> W:
        """Return the one visible widget of a kind whose accessible name this is."""
        found = [
            widget
            for widget in (within or self.window).findChildren(kind)
            if widget.accessibleName() == name and widget.isVisible()
        ]
        assert len(found) == 1, f"{len(found)} of {kind.__name__} are called {name!r}"
        return found[0]

    def has(self, kind: type[QWidget], name: str) -> bool:
        """Tell whether a visible widget is called so."""
        return any(w.accessibleName() == name and w.isVisible() for w in self.window.findChildren(kind))

    def click(self, name: str, within: QWidget | None = None) -> None:
        """Click the button of this name."""
        self.qtbot.mouseClick(self.find(QAbstractButton, name, within), Qt.MouseButton.LeftButton)

    def press(self, widget: QWidget) -> None:
        """Click a widget in its middle."""
        self.qtbot.mouseClick(widget, Qt.MouseButton.LeftButton, pos=QPoint(widget.width() // 2, widget.height() // 2))

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Press a key where the focus is."""
        self.qtbot.keyClick(self.window.focusWidget() or self.window, key, modifier)

    def open_sample(self) -> Any:
        """Open a chat with the sample assistant; returns the chat page."""
        self.shell.open("chat", reference=str(sample_pack()))
        page = self.page
        self.until(lambda: page.view.assistant is not None)
        return page

    def say(self, text: str) -> None:
        """Write a message, send it with Enter, and wait for the answer's end."""
        view = self.page.view
        self.qtbot.keyClicks(view.composer.field, text)
        self.qtbot.keyClick(view.composer.field, Qt.Key.Key_Return)
        assert view.busy
        self.until(lambda: not view.busy)
