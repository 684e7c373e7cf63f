"""The table of knowledge: a line for each file and linked folder, kept up to date while they are read."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from satchel.builder.editor.knowledge_rows import Row
from satchel.builder.language import translate
from satchel.builder.theme.appearance import Appearance
from satchel.builder.theme.tokens import ColourName
from satchel.builder.widgets.buttons import Button, IconButton
from satchel.builder.widgets.card import Card, restyle
from satchel.builder.widgets.chip import Chip
from satchel.builder.widgets.labels import ElidedLabel, IconLabel, label, rule

_PAGES, _PASSAGES, _STATE = 66, 72, 200
_MOST = 300
"""Lines that are built; a folder may hold thousands of files."""
_NONE = "\N{EN DASH}"
_ROLES = {"failed": "danger", "note": "amber", "ready": "secondary", "waiting": "secondary", "reading": "secondary"}


class FileTable(Card):
    """Shows rows; lines whose row is the same stay as they are."""

    remove_wanted = Signal(object)
    """A `Row`."""

    def __init__(self, appearance: Appearance) -> None:
        super().__init__(padding=1, spacing=0)
        self._appearance = appearance
        self.lines: list[FileLine] = []
        self._all = False
        self._rows: list[Row] = []
        self.column.addWidget(_header())
        self._body = QVBoxLayout()
        self._body.setContentsMargins(0, 0, 0, 0)
        self._body.setSpacing(0)
        self.column.addLayout(self._body)
        self.more = Button(appearance, "", role="link", clicked=self._show_all)
        self.column.addWidget(self.more, alignment=Qt.AlignmentFlag.AlignHCenter)
        self.more.hide()

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show these."""
        self._rows = list(rows)
        shown = self._rows if self._all else self._rows[:_MOST]
        left = len(self._rows) - len(shown)
        self.more.set_text(translate("Knowledge", "Show {n} more", n=f"{left:,}"))
        self.more.setVisible(bool(left))
        if [line.row.name for line in self.lines] != [row.name for row in shown]:
            self._rebuild(shown)
            return
        for line, row in zip(self.lines, shown, strict=True):
            line.show_row(row)

    def _rebuild(self, rows: Sequence[Row]) -> None:
        while (item := self._body.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.lines = []
        for row in rows:
            self._body.addWidget(rule())
            line = FileLine(self._appearance, row)
            line.remove.clicked.connect(lambda _checked=False, of=line: self.remove_wanted.emit(of.row))
            self.lines.append(line)
            self._body.addWidget(line)

    def _show_all(self) -> None:
        self._all = True
        self.show_rows(self._rows)


class FileLine(QWidget):
    """One line."""

    def __init__(self, appearance: Appearance, row: Row) -> None:
        super().__init__()
        self._appearance = appearance
        self.row = row
        self.setProperty("role", "plain")
        across = QHBoxLayout(self)
        across.setContentsMargins(15, 4, 12, 4)
        across.setSpacing(12)
        self._icon = IconLabel(appearance, row.icon)
        across.addWidget(self._icon)
        self._name = ElidedLabel(row.name)
        across.addWidget(self._name, 1)
        self._pages, self._passages = label("", "secondary"), label("", "secondary")
        for cell, width in ((self._pages, _PAGES), (self._passages, _PASSAGES)):
            cell.setFixedWidth(width)
            across.addWidget(cell)
        state = QWidget()
        state.setProperty("role", "plain")
        state.setFixedWidth(_STATE)
        self._state = QVBoxLayout(state)
        self._state.setContentsMargins(0, 4, 0, 4)
        self._state.setSpacing(4)
        self._words = label("", "secondary", wrap=True)
        self._state.addWidget(self._words)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 1000)
        self._state.addWidget(self._bar)
        self._chip: Chip | None = None
        across.addWidget(state)
        self.remove = IconButton(appearance, "x", translate("Knowledge", "Remove {name}", name=row.name), size=14)
        across.addWidget(self.remove)
        self._fill(row)

    def show_row(self, row: Row) -> None:
        """Show another state of the same file."""
        if row != self.row:
            self.row = row
            self._fill(row)

    def _fill(self, row: Row) -> None:
        colour: ColourName = "red" if row.state == "failed" else "muted"
        self._icon.set_icon(row.icon, colour)
        self._pages.setText(row.pages or _NONE)
        self._passages.setText(row.passages or _NONE)
        chip = Chip(self._appearance, row.words, tone="amber") if row.state == "note" else None
        if chip is not None:
            chip.ensurePolished()  # the style sheet's font is another one
        if chip is not None and chip.sizeHint().width() > _STATE:
            chip = None  # it would be cut short; words wrap
        self._words.setVisible(chip is None)
        told = translate("Knowledge", "{state} · {language}", state=row.words, language=row.language)
        self._words.setText(told if row.state == "ready" and row.language else row.words)
        restyle(self._words, role=_ROLES[row.state])
        if self._chip is not None:
            self._chip.hide()
            self._chip.deleteLater()
            self._chip = None
        if chip is not None:
            self._chip = chip
            self._state.addWidget(self._chip, alignment=Qt.AlignmentFlag.AlignLeft)
        self._bar.setVisible(row.fraction is not None)
        self._bar.setValue(round((row.fraction or 0) * 1000))
        language = translate("Knowledge", " · {language}", language=row.language) if row.language else ""
        self.setToolTip(f"{row.name}{language}")
        self.setAccessibleName(f"{row.name}, {row.words}")


def _header() -> QWidget:
    head = QWidget()
    head.setProperty("role", "plain")
    across = QHBoxLayout(head)
    across.setContentsMargins(15, 8, 12, 8)
    across.setSpacing(12)
    across.addWidget(_gap(16))
    across.addWidget(label(translate("Knowledge", "File"), "heading"), 1)
    for words, width in (
        (translate("Knowledge", "Pages"), _PAGES),
        (translate("Knowledge", "Passages"), _PASSAGES),
        (translate("Knowledge", "State"), _STATE),
    ):
        cell = label(words, "heading")
        cell.setFixedWidth(width)
        across.addWidget(cell)
    across.addWidget(_gap(22))
    return head


def _gap(width: int) -> QWidget:
    """Return what stands in a line of the header where the others have an icon."""
    gap = QWidget()
    gap.setProperty("role", "plain")
    gap.setFixedWidth(width)
    return gap
