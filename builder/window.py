"""The window: the rail, the pages, the palette and the keys that work everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeySequence, QMouseEvent, QResizeEvent, QShortcut
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMainWindow, QStackedWidget, QWidget

from satchel.builder.commands import Command
from satchel.builder.language import translate
from satchel.builder.notices import Notices
from satchel.builder.page import Page
from satchel.builder.pages import PageSpec, page_specs
from satchel.builder.rail import Rail
from satchel.builder.shell import Shell

if TYPE_CHECKING:
    from satchel.builder.palette import Palette

_SIZE, _SMALLEST = (1280, 800), (960, 600)
CommandSource = Callable[[], Iterable[Command]]


class Window(QMainWindow):
    """One window; pages are made when first opened."""

    page_shown = Signal(str)

    def __init__(self, shell: Shell, specs: tuple[PageSpec, ...] | None = None) -> None:
        super().__init__()
        self.shell = shell
        self._specs = {spec.key: spec for spec in (specs or page_specs())}
        self._pages: dict[str, Page] = {}
        self._shown = ""
        self._lasting_commands: list[CommandSource] = []
        self.setWindowTitle("Satchel")
        self.setMinimumSize(*_SMALLEST)
        self.setAcceptDrops(True)
        body = QWidget()
        row = QHBoxLayout(body)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self.rail = Rail(shell.appearance, tuple(self._specs.values()))
        self.rail.chosen.connect(lambda key: self.open(key, {}))
        row.addWidget(self.rail)
        self._stack = QStackedWidget()
        row.addWidget(self._stack, 1)
        self.setCentralWidget(body)
        self._body = body
        self.notices = Notices(shell.appearance, body)
        self.palette_sheet: Palette | None = None
        shell.page_wanted.connect(self.open)
        shell.notice_wanted.connect(self.notices.show)
        self._place()
        self._bind_keys()

    @property
    def page(self) -> Page:
        """The page that is shown."""
        return self._pages[self._shown]

    @property
    def page_key(self) -> str:
        """Its key."""
        return self._shown

    def open(self, key: str, arguments: dict[str, Any]) -> Page:
        """Show a page, made now if it was never shown."""
        spec = self._specs[key]
        if key not in self._pages:
            made = spec.make(self.shell)
            self._pages[key] = made
            self._stack.addWidget(made)
        page = self._pages[key]
        if self._shown and self._shown != key:
            self._pages[self._shown].leave()
        self._shown = key
        self._stack.setCurrentWidget(page)
        self.rail.light(spec.under or key)
        page.arrive(**arguments)
        self.page_shown.emit(key)
        return page

    def offer(self, source: CommandSource) -> None:
        """Let the palette always offer these commands, whichever page is shown."""
        self._lasting_commands.append(source)

    def commands(self) -> list[Command]:
        """Return what the palette offers now: the page's, the window's, then assistants and chats."""
        found = list(self.page.commands()) if self._shown else []
        for spec in self._specs.values():
            if spec.rail:
                title = translate("Window", "Go to {page}", page=spec.title)
                found.append(Command(title, partial(self.open, spec.key, {}), icon=spec.icon))
        found += [
            Command(translate("Window", "Next pane"), self.next_pane, "F6"),
            Command(translate("Window", "Quit"), self.close, "Ctrl+Q"),
        ]
        for source in self._lasting_commands:
            found += source()
        return found

    def show_palette(self) -> None:
        """Open the palette, or close it when it is open."""
        if self.palette_sheet is None:
            from satchel.builder.palette import Palette  # not at the start: it is wanted later, if at all

            self.palette_sheet = Palette(self.shell.appearance, self._body, self.commands)
        if self.palette_sheet.isVisible():
            self.palette_sheet.dismiss()
        else:
            self.palette_sheet.open()
            self._reach()

    def _reach(self) -> None:
        """Look up assistants and chats; the palette is there meanwhile."""
        from satchel.builder.chat.past_chats import read_past
        from satchel.builder.reach import reachable

        sheet, home = self.palette_sheet, self.shell.home
        if sheet is not None:
            self.shell.operations.run(
                lambda _task: read_past(home),
                owner=sheet,
                name="palette",
                succeeded=lambda past: sheet.add(reachable(past, self.shell)),
            )

    def next_pane(self) -> None:
        """Move the focus to the next pane of the page; the rail is the last one."""
        panes: list[QWidget] = [pane for pane in self.page.panes() if pane.isVisible()]
        panes.append(self.rail)
        focused = QApplication.focusWidget()
        at = next(
            (number for number, pane in enumerate(panes) if focused is not None and pane.isAncestorOf(focused)), -1
        )
        if at < 0 and focused in panes:
            at = panes.index(focused)
        _focus_within(panes[(at + 1) % len(panes)])

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.toLocalFile().endswith(".pack") for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        packs = [url.toLocalFile() for url in event.mimeData().urls() if url.toLocalFile().endswith(".pack")]
        if packs:
            event.acceptProposedAction()
            # After the drop is over: the program that it came from waits for that.
            QTimer.singleShot(0, self, lambda: self.shell.open("import", path=packs[0]))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.notices.place()
        if self.palette_sheet is not None:
            self.palette_sheet.place()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.palette_sheet is not None and self.palette_sheet.isVisible():
            self.palette_sheet.dismiss()
        super().mousePressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.notices.settle()
        for page in self._pages.values():
            page.close_down()
        geometry = bytes(self.saveGeometry().toBase64().data()).decode()
        self.shell.prefer(geometry=geometry)
        self.shell.operations.close()
        event.accept()

    def _place(self) -> None:
        self.resize(*_SIZE)
        if geometry := self.shell.preferences.geometry:
            self.restoreGeometry(QByteArray.fromBase64(geometry.encode()))

    def _bind_keys(self) -> None:
        for keys, act in (
            ("Ctrl+K", self.show_palette),
            ("F6", self.next_pane),
            ("Esc", self._escape),
            ("Ctrl+Q", self.close),
        ):
            QShortcut(QKeySequence(keys), self).activated.connect(act)
        # The keys of the page's own commands: found anew each time, because they change with what it shows.
        for keys in ("Ctrl+N", "Ctrl+O", "Ctrl+S", "Ctrl+E", "Ctrl+L", "Ctrl+F", "Ctrl+H", "Ctrl+Z", "Ctrl+Shift+Z"):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.activated.connect(lambda wanted=keys: self._run_shortcut(wanted))

    def _run_shortcut(self, keys: str) -> None:
        for command in self.commands():
            if command.shortcut == keys:
                command.run()
                return

    def _escape(self) -> None:
        if self.palette_sheet is not None and self.palette_sheet.isVisible():
            self.palette_sheet.dismiss()
        elif self._shown:
            self.page.escape()


def _focus_within(pane: QWidget) -> None:
    """Focus a pane, or the first of what is in it that takes the focus by Tab."""
    if pane.focusPolicy() & Qt.FocusPolicy.TabFocus:
        pane.setFocus(Qt.FocusReason.TabFocusReason)
        return
    for child in pane.findChildren(QWidget):
        if child.focusPolicy() & Qt.FocusPolicy.TabFocus and child.isVisible() and child.isEnabled():
            child.setFocus(Qt.FocusReason.TabFocusReason)
            return
