"""Start the app: the window first, everything else after it is on the screen."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication

from satchel.builder.preferences import load_preferences
from satchel.builder.shell import Shell
from satchel.builder.theme.appearance import Appearance
from satchel.builder.window import Window
from satchel.runtime.paths import Home


class Application(QApplication):
    """Takes files that the system hands over (macOS: a double click)."""

    file_opened = Signal(str)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QFileOpenEvent):
            self.file_opened.emit(event.file())
            return True
        return super().event(event)


def make_window(application: QApplication, home: Home) -> Window:
    """Return the window with its first page, not shown yet."""
    preferences = load_preferences(home.settings)
    appearance = Appearance(application, choice=preferences.appearance)
    shell = Shell(home, appearance, preferences, application)
    window = Window(shell)
    window.open("library", {})
    return window


def start(home: Home, file: Path | None = None, *, exit_when_ready: bool = False) -> int:
    """Run the app until its window closes.

    `file` is a pack or a project folder to open. With `exit_when_ready` it ends as soon as the first page is on the
    screen with its assistants and takes input; for measuring.
    """
    application = Application(sys.argv[:1])
    application.setApplicationName("Satchel")
    application.setDesktopFileName("satchel")
    window = make_window(application, home)
    application.file_opened.connect(lambda path: open_file(window.shell, Path(path)))
    if exit_when_ready:
        _Ready(application, window)
    window.show()
    if file is not None:
        QTimer.singleShot(0, window, lambda: open_file(window.shell, file))
    code: int = application.exec()
    if not exit_when_ready or file is not None:
        window.close()  # quit without it (Ctrl+Q on macOS, a session's end): what runs is ended, the place is kept
    return code


def open_file(shell: Shell, path: Path) -> None:
    """Open what a person hands over: a pack goes to its review, a project's folder to its chat."""
    if path.is_dir():
        shell.open("chat", reference=str(path))
    else:
        shell.open("import", path=str(path))


class _Ready(QObject):
    """Ends the app once the page that it opens on has been painted; the library's, with its assistants."""

    def __init__(self, application: QApplication, window: Window) -> None:
        super().__init__(window)
        self._application, self._window = application, window
        window.page_shown.connect(self._watch)
        self._watch()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # The library has cards; what another page shows first is its own.
        if event.type() == QEvent.Type.Paint and watched is self._window.page and getattr(watched, "cards", True):
            # Once round the event loop: what was just painted is on the screen, and input would be taken.
            QTimer.singleShot(0, self._application.quit)
        return super().eventFilter(watched, event)

    def _watch(self) -> None:
        from satchel.builder.library.page import LibraryPage

        page = self._window.page
        page.installEventFilter(self)
        if isinstance(page, LibraryPage):
            page.filled.connect(page.update)
