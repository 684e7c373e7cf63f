"""The box under the files: which passages a question finds, how near they are, and why a file is not among them."""

from __future__ import annotations

import html

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from satchel.builder.editor.knowledge_work import KnowledgeWork
from satchel.builder.editor.search_desk import SearchDesk
from satchel.builder.editor.search_results import Found, Hit, found_of
from satchel.builder.language import translate
from satchel.builder.operations import Failure
from satchel.builder.shell import Shell
from satchel.builder.theme.tokens import ColourName
from satchel.builder.widgets.banner import failure_banner
from satchel.builder.widgets.buttons import Button
from satchel.builder.widgets.card import Card
from satchel.builder.widgets.field import SearchField
from satchel.builder.widgets.labels import label, rule
from satchel.runtime.commands.search import SearchResult
from satchel.runtime.project.schema import Retrieval

_PAUSE_MS = 350
_BAR = 66


class SearchBox(Card):
    """Searches the files as they were read last, so that it works while others are being read."""

    def __init__(self, shell: Shell, work: KnowledgeWork) -> None:
        super().__init__(padding=14, spacing=10)
        self._shell, self._work = shell, work
        self._asked = 0
        self._desk = SearchDesk(shell.home)
        self.retrieval = Retrieval()
        """As the form has it: how many passages, and what is kept back."""
        self._found: Found | None = None
        self.field = SearchField(
            shell.appearance, translate("Knowledge", "Try a question: which passages does it find?")
        )
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self.search)
        self.field.textChanged.connect(lambda _text: self._pause.start())
        self.field.returnPressed.connect(self.search)
        self.column.addWidget(self.field)
        self._results = QWidget()
        self._results.setProperty("role", "plain")
        self.column.addWidget(self._results)
        self._results.hide()
        work.read.connect(self.search)
        shell.appearance.changed.connect(self._paint_again)

    @property
    def found(self) -> Found | None:
        """What is shown."""
        return self._found

    def close_down(self) -> None:
        """End the process that searches; ending it takes a moment."""
        desk = self._desk
        self._shell.operations.run(lambda _task: desk.close(), owner=self, name="close search")

    def search(self) -> None:
        """Search for what is in the field."""
        self._pause.stop()
        self._asked += 1
        asked, question = self._asked, self.field.text().strip()
        index, retrieval = self._work.overview.index, self.retrieval
        if not question or index is None or not index.path:
            self._found = None
            self._results.hide()
            return

        def show(result: SearchResult) -> None:
            if asked == self._asked:
                self._found = found_of(question, result)
                self._show(self._found)

        def failed(failure: Failure) -> None:
            if asked == self._asked:
                self._renew().addWidget(failure_banner(self._shell.appearance, failure, self.search))

        desk, place = self._desk, index.path
        self._shell.operations.run(
            lambda _task: desk.search(place, question, retrieval),
            owner=self,
            name="search",
            succeeded=show,
            failed=failed,
        )

    def _renew(self) -> QVBoxLayout:
        old = self._results
        self._results = QWidget()
        self._results.setProperty("role", "plain")
        column = QVBoxLayout(self._results)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        self.column.replaceWidget(old, self._results)
        old.hide()
        old.deleteLater()
        return column

    def _show(self, found: Found) -> None:
        column = self._renew()
        for hit in found.hits:
            column.addWidget(rule())
            column.addWidget(_HitLine(self._shell, hit))
        if not found.hits:
            column.addWidget(label(translate("Knowledge", "Your files hold nothing about this."), "muted"))
        column.addWidget(rule())
        foot = QHBoxLayout()
        foot.setSpacing(6)
        reading = translate("Knowledge", "files are still being read") if self._work.is_reading else ""
        said = " · ".join(part for part in (reading, found.kept_back, *found.warnings) if part)
        foot.addWidget(label(said, "secondary", wrap=True), 1)
        if found.why:
            why = translate("Knowledge", "Why not the other files?")
            self.why = Button(self._shell.appearance, why, role="link", clicked=lambda: self._explain(column, found))
            foot.addWidget(self.why, alignment=Qt.AlignmentFlag.AlignTop)
        column.addLayout(foot)
        self._results.show()

    def _explain(self, column: QVBoxLayout, found: Found) -> None:
        self.why.setEnabled(False)
        for file, reason in found.why:
            line = QHBoxLayout()
            name = label(file, "secondary")
            name.setFixedWidth(170)
            line.addWidget(name, alignment=Qt.AlignmentFlag.AlignTop)
            line.addWidget(label(reason, "secondary", wrap=True), 1)
            column.addLayout(line)

    def _paint_again(self) -> None:
        if self._found is not None:
            self._show(self._found)


class _HitLine(QWidget):
    def __init__(self, shell: Shell, hit: Hit) -> None:
        super().__init__()
        self.setProperty("role", "plain")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(label(str(hit.number), "heading"), alignment=Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(_marked_label(shell, hit))
        words.addWidget(label(hit.place, "secondary"))
        row.addLayout(words, 1)
        bars = QVBoxLayout()
        bars.setSpacing(2)
        if hit.meaning is not None:
            bars.addWidget(_Bar(shell, translate("Knowledge", "meaning"), hit.meaning, "accent"))
        bars.addWidget(_Bar(shell, translate("Knowledge", "words"), hit.words, "amber"))
        bars.addStretch(1)
        row.addLayout(bars)


def _marked_label(shell: Shell, hit: Hit) -> QLabel:
    mark, ink = shell.appearance.colour("mark").name(), shell.appearance.colour("text").name()
    parts = []
    for text, is_marked in hit.pieces:
        safe = html.escape(text)
        parts.append(f'<span style="background-color:{mark};color:{ink}">{safe}</span>' if is_marked else safe)
    made = QLabel("".join(parts))
    made.setTextFormat(Qt.TextFormat.RichText)
    made.setWordWrap(True)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    made.setAccessibleName("".join(text for text, _ in hit.pieces))
    return made


class _Bar(QWidget):
    def __init__(self, shell: Shell, words: str, value: float, colour: ColourName) -> None:
        super().__init__()
        self._appearance, self._value, self._colour = shell.appearance, value, colour
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, _BAR + 6, 0)
        row.addWidget(label(words, "secondary"))
        self.setFixedSize(QSize(56 + _BAR + 6, 18))
        self.setToolTip(f"{words}: {value:.2f}")
        self.setAccessibleName(f"{words}: {value:.2f}")

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        box = QRectF(self.width() - _BAR, self.height() / 2 - 2, _BAR, 4)
        painter.setBrush(self._appearance.colour("sunken"))
        painter.drawRoundedRect(box, 2, 2)
        box.setWidth(max(4.0, _BAR * self._value))
        painter.setBrush(self._appearance.colour(self._colour))
        painter.drawRoundedRect(box, 2, 2)
