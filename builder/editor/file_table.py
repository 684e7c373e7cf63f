"""The table of knowledge: a line for each file and linked folder, kept up to date while they are read."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QSizePolicy, QVBoxLayout, QWidget

from satchel.builder.editor.knowledge_rows import Row
from satchel.builder.language import translate
from satchel.builder.theme.appearance import Appearance
from satchel.builder.theme.tokens import ColourName
from satchel.builder.widgets.buttons import Button, IconButton
from satchel.builder.widgets.card import Card, restyle
from satchel.builder.widgets.chip import Chip
from satchel.builder.widgets.labels import ElidedLabel, IconLabel, label, plain_tip, rule

_PAGES, _PASSAGES, _LEAST_STATE = 56, 66, 130
_NAME_SHARE, _STATE_SHARE = 2, 3
"""How they divide what is left, in every line alike, so that columns stay straight."""
_USUAL_STATE = 250
_MOST = 200
"""Lines that are shown until more are asked for; a folder may hold thousands of files."""
_AT_ONCE = 5
"""Lines that are built before the window has its turn: some 5 ms each."""
_NONE = "\N{EN DASH}"
_ROLES = {"failed": "danger", "note": "amber", "ready": "secondary", "waiting": "secondary", "reading": "secondary"}


class FileTable(Card):
    """Shows rows; a file's line stays as long as the file does, and new ones are built a few at a time."""

    remove_wanted = Signal(object)
    """A `Row`."""

    def __init__(self, appearance: Appearance) -> None:
        super().__init__(padding=1, spacing=0)
        self._appearance = appearance
        self.lines: list[FileLine] = []
        self._most = _MOST
        self._rows: list[Row] = []
        self.column.addWidget(_header())
        self._body = QVBoxLayout()
        self._body.setContentsMargins(0, 0, 0, 0)
        self._body.setSpacing(0)
        self.column.addLayout(self._body)
        self.more = Button(appearance, "", role="link", clicked=self._show_more)
        self.column.addWidget(self.more, alignment=Qt.AlignmentFlag.AlignHCenter)
        self.more.hide()
        self._building = QTimer(self)
        self._building.setInterval(0)
        self._building.timeout.connect(self._build)

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show these."""
        self._rows = list(rows)
        shown = {row.name: row for row in self._rows[: self._most]}
        for line in [line for line in self.lines if line.row.name not in shown]:
            self._drop(line)
        for line in self.lines:
            line.show_row(shown[line.row.name])
        left = len(self._rows) - len(shown)
        self.more.set_text(translate("Knowledge", "Show {n} more", n=f"{left:,}"))
        self.more.setVisible(left > 0)
        self._build()

    def _build(self) -> None:
        """Put the next lines in their places; the rest follows when the window has had its turn."""
        wanted = self._rows[: self._most]
        left = _AT_ONCE
        for place, row in enumerate(wanted):
            if place < len(self.lines) and self.lines[place].row.name == row.name:
                continue
            if not left:
                self._building.start()
                return
            left -= 1
            for line in [line for line in self.lines[place:] if line.row.name == row.name]:
                self._drop(line)  # it has another place now
            line = FileLine(self._appearance, row)
            line.remove.clicked.connect(lambda _checked=False, of=line: self.remove_wanted.emit(of.row))
            self.lines.insert(place, line)
            self._body.insertWidget(place, line)
        self._building.stop()

    def _drop(self, line: FileLine) -> None:
        self.lines.remove(line)
        self._body.removeWidget(line)
        line.hide()
        line.deleteLater()

    def _show_more(self) -> None:
        self._most += _MOST
        self.show_rows(self._rows)


class FileLine(QWidget):
    """One line."""

    def __init__(self, appearance: Appearance, row: Row) -> None:
        super().__init__()
        self._appearance = appearance
        self.row = row
        self.setProperty("role", "plain")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(rule())
        across = QHBoxLayout()
        column.addLayout(across)
        across.setContentsMargins(15, 4, 12, 4)
        across.setSpacing(12)
        self._icon = IconLabel(appearance, row.icon)
        across.addWidget(self._icon)
        self._name = ElidedLabel(row.name)
        across.addWidget(self._name, _NAME_SHARE)
        self._pages, self._passages = label("", "secondary"), label("", "secondary")
        for cell, width in ((self._pages, _PAGES), (self._passages, _PASSAGES)):
            cell.setFixedWidth(width)
            across.addWidget(cell)
        state = QWidget()
        state.setProperty("role", "plain")
        state.setMinimumWidth(_LEAST_STATE)
        state.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
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
        across.addWidget(state, _STATE_SHARE)
        self.remove = IconButton(appearance, "x", translate("Knowledge", "Remove {name}", name=row.name), size=14)
        across.addWidget(self.remove)
        self._fill(row)

    def show_row(self, row: Row) -> None:
        """Show another state of the same file."""
        if row != self.row:
            self.row = row
            self._fill(row)

    def _state_width(self) -> int:
        place = self._state.parentWidget()
        return place.width() if place is not None and self.isVisible() else _USUAL_STATE

    def _fill(self, row: Row) -> None:
        colour: ColourName = "red" if row.state == "failed" else "muted"
        self._icon.set_icon(row.icon, colour)
        self._pages.setText(row.pages or _NONE)
        self._passages.setText(row.passages or _NONE)
        chip = Chip(self._appearance, row.words, tone="amber") if row.state == "note" else None
        if chip is not None:
            chip.ensurePolished()  # the style sheet's font is another one
        if chip is not None and chip.sizeHint().width() > max(_LEAST_STATE, self._state_width()):
            chip = None  # it would be cut short; words wrap
        self._words.setVisible(chip is None)
        told = translate("Knowledge", "{state} · {language}", state=row.words, language=row.language)
        self._words.setText(told if row.state == "ready" and row.language else row.words)
        if self._words.property("role") != _ROLES[row.state]:
            restyle(self._words, role=_ROLES[row.state])  # costly: hundreds of lines change at once
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
        self.setToolTip(plain_tip(f"{row.name}{language}"))
        self.setAccessibleName(f"{row.name}, {row.words}")


def _header() -> QWidget:
    head = QWidget()
    head.setProperty("role", "plain")
    across = QHBoxLayout(head)
    across.setContentsMargins(15, 8, 12, 8)
    across.setSpacing(12)
    across.addWidget(_gap(16))
    across.addWidget(ElidedLabel(translate("Knowledge", "File"), "heading"), _NAME_SHARE)
    for words, width in (
        (translate("Knowledge", "Pages"), _PAGES),
        (translate("Knowledge", "Passages"), _PASSAGES),
    ):
        cell = label(words, "heading")
        cell.setFixedWidth(width)
        across.addWidget(cell)
    state = ElidedLabel(translate("Knowledge", "State"), "heading")
    state.setMinimumWidth(_LEAST_STATE)
    across.addWidget(state, _STATE_SHARE)
    across.addWidget(_gap(22))
    return head


def _gap(width: int) -> QWidget:
    """Return what stands in a line of the header where the others have an icon."""
    gap = QWidget()
    gap.setProperty("role", "plain")
    gap.setFixedWidth(width)
    return gap
