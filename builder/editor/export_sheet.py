"""The sheet that seals an assistant into one file: where to, with what, how large, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QStandardPaths, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from satchel.builder.editor.document import Document
from satchel.builder.editor.export_plan import Sizes, file_name, sizes
from satchel.builder.language import counted, translate
from satchel.builder.operations import Failure, Operation, Step
from satchel.builder.shell import Shell
from satchel.builder.sizes import size_words
from satchel.builder.states import words_of
from satchel.builder.widgets.banner import Banner, failure_banner
from satchel.builder.widgets.buttons import Button, IconButton
from satchel.builder.widgets.card import Card
from satchel.builder.widgets.labels import label
from satchel.runtime.commands.build import build_pack
from satchel.runtime.project.outcomes import BuiltPack, ProjectIndex

_WIDTH = 560
_VEIL = 205
"""How much of the page under it is hidden, of 255."""


class ExportSheet(QFrame):
    """Lies over the page that it is of; Esc or "Close" takes it away, and cancels what runs."""

    def __init__(self, shell: Shell, over: QWidget, document: Document, index: ProjectIndex | None = None) -> None:
        super().__init__(over)
        self._shell, self._document, self._index = shell, document, index
        self._running: Operation | None = None
        self.built: BuiltPack | None = None
        over.installEventFilter(self)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 64, 24, 24)
        card = Card(padding=20, spacing=12)
        card.setFixedWidth(_WIDTH)
        card.setAccessibleName(translate("Export", "Export the assistant"))
        outer.addWidget(card, alignment=Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        head = QHBoxLayout()
        name = document.draft.assistant.name
        head.addWidget(label(translate("Export", "Export {name}", name=name), "section"), 1)
        close = translate("Export", "Close")
        head.addWidget(IconButton(shell.appearance, "x", close, shortcut="Esc", clicked=self.dismiss))
        card.column.addLayout(head)
        card.column.addWidget(label(translate("Export", "One file that others open with Satchel."), "muted"))
        self._column = card.column
        self._form = QWidget()
        self._form.setProperty("role", "plain")
        self._fill(self._form)
        self._column.addWidget(self._form)
        self._banner: Banner | None = None

    def open(self) -> None:
        """Show it, and reckon the sizes."""
        parent = self.parentWidget()
        assert parent is not None  # see `__init__`
        self.setGeometry(parent.rect())
        self.show()
        self.raise_()
        self.path.setFocus()
        self.path.selectAll()
        folder, index = self._document.folder, self._index
        self._shell.operations.run(
            lambda _task: sizes(folder, index), owner=self, name="sizes", succeeded=self._show_sizes
        )

    def dismiss(self) -> None:
        """Take it away; a pack that is being written is not written then."""
        if self._running is not None:
            self._running.cancel()
        self.hide()
        self.deleteLater()

    def choose_place(self) -> None:
        """Let the person pick where the file goes."""
        title = translate("Export", "Export to")
        chosen, _ = QFileDialog.getSaveFileName(self, title, self.path.text(), translate("Export", "Packs (*.pack)"))
        if chosen:
            self.path.setText(chosen if chosen.endswith(".pack") else f"{chosen}.pack")

    def export(self) -> None:
        """Write the pack: what the form says, saved first."""
        self._document.when_saved(self._export_now)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and self.built is None:
            self.export()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            self.setGeometry(watched.rect())
        return False

    def paintEvent(self, _event: QPaintEvent) -> None:
        veil = self._shell.appearance.colour("background")
        veil.setAlpha(_VEIL)
        QPainter(self).fillRect(self.rect(), veil)

    def _fill(self, form: QWidget) -> None:
        appearance = self._shell.appearance
        column = QVBoxLayout(form)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(12)
        column.addWidget(label(translate("Export", "Save it as"), "secondary"))
        place = QHBoxLayout()
        folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        known = Path(folder) if folder and Path(folder).is_dir() else Path.home()
        self.path = QLineEdit(str(known / file_name(self._document.draft.assistant.name)))
        self.path.setAccessibleName(translate("Export", "Save it as"))
        place.addWidget(self.path, 1)
        place.addWidget(Button(appearance, translate("Export", "Choose…"), clicked=self.choose_place))
        column.addLayout(place)
        group = QButtonGroup(form)
        self.whole, self.whole_size = _option(
            column,
            translate("Export", "With the files themselves"),
            translate("Export", "The citations open the pages as you see them."),
        )
        self.text_only, self.text_size = _option(
            column,
            translate("Export", "Their text only"),
            translate("Export", "Smaller. It answers and cites the same; pages open as text."),
        )
        group.addButton(self.whole)
        group.addButton(self.text_only)
        self.whole.setChecked(True)
        foot = QHBoxLayout()
        self.said = label("", "secondary", wrap=True)
        foot.addWidget(self.said, 1)
        self.cancel = Button(appearance, translate("Export", "Cancel"), clicked=self.dismiss)
        self.button = Button(
            appearance, translate("Export", "Export"), role="primary", icon="upload", clicked=self.export
        )
        foot.addWidget(self.cancel)
        foot.addWidget(self.button)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.hide()
        column.addWidget(self._bar)
        column.addLayout(foot)

    def _show_sizes(self, found: Sizes) -> None:
        for where, size in ((self.whole_size, found.with_sources), (self.text_size, found.without_sources)):
            where.setText(translate("Export", "about {size}", size=size_words(size)))
        for shown in (self.whole, self.text_only):
            shown.setEnabled(bool(found.files))

    def _export_now(self) -> None:
        target, folder, home = Path(self.path.text()).expanduser(), self._document.folder, self._shell.home
        sources = self.whole.isChecked()
        self.button.setEnabled(False)
        self._dismiss_banner()
        self._bar.show()
        self._bar.setRange(0, 0)
        self._running = self._shell.operations.run(
            lambda task: build_pack(folder, target, home, sources=sources, progress=task.progress),
            owner=self,
            name="export",
            succeeded=self._done,
            failed=self._failed,
            progressed=self._progress,
        )

    def _progress(self, step: Step) -> None:
        self._bar.setRange(0, step.total or 0)
        self._bar.setValue(step.done if step.total else 0)
        self.said.setText(words_of(step))

    def _failed(self, failure: Failure) -> None:
        self._running = None
        self.button.setEnabled(True)
        self._bar.hide()
        self.said.setText("")
        self._banner = failure_banner(self._shell.appearance, failure, self.export)
        self._column.addWidget(self._banner)

    def _done(self, built: BuiltPack) -> None:
        self._running = None
        self.built = built
        self._form.hide()
        appearance = self._shell.appearance
        left_out = sum(bool(file.left_out) for file in built.files)
        files = counted(len(built.files) - left_out, translate("Export", "{n} file"), translate("Export", "{n} files"))
        self._column.addWidget(label(Path(built.path).name, "name"))
        self._column.addWidget(
            label(translate("Export", "{size}, {files}", size=size_words(built.size), files=files), "muted")
        )
        for note in (*(file.left_out for file in built.files if file.left_out), *built.notes):
            self._column.addWidget(Banner(appearance, note, tone="quiet", dismissable=False))
        same = translate("Export", "Pack id. The same assistant gives the same id, on every computer:")
        self._column.addWidget(label(same, "secondary", wrap=True))
        identity = QLineEdit(built.pack_id)
        identity.setReadOnly(True)
        identity.setCursorPosition(0)
        identity.setAccessibleName(translate("Export", "Pack id"))
        self._column.addWidget(identity)
        foot = QHBoxLayout()
        foot.addStretch(1)
        actions: tuple[tuple[str, Callable[[], object]], ...] = (
            (translate("Export", "Copy the id"), lambda: QGuiApplication.clipboard().setText(built.pack_id)),
            (translate("Export", "Show its folder"), lambda: _open_folder(Path(built.path).parent)),
        )
        for says, act in actions:
            foot.addWidget(Button(appearance, says, clicked=act))
        done = Button(appearance, translate("Export", "Done"), role="primary", clicked=self.dismiss)
        foot.addWidget(done)
        self._column.addLayout(foot)
        QTimer.singleShot(0, done, done.setFocus)  # it is shown then

    def _dismiss_banner(self) -> None:
        if self._banner is not None:
            self._banner.hide()
            self._banner.deleteLater()
            self._banner = None


def _option(column: QVBoxLayout, title: str, about: str) -> tuple[QRadioButton, QLabel]:
    row = QHBoxLayout()
    row.setSpacing(10)
    button = QRadioButton()
    button.setAccessibleName(title)
    row.addWidget(button, alignment=Qt.AlignmentFlag.AlignTop)
    words = QVBoxLayout()
    words.setSpacing(2)
    words.addWidget(label(title, "strong"))
    words.addWidget(label(about, "secondary", wrap=True))
    row.addLayout(words, 1)
    size = label("", "muted")
    row.addWidget(size, alignment=Qt.AlignmentFlag.AlignTop)
    column.addLayout(row)
    return button, size


def _open_folder(folder: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
