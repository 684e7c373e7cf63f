"""The table of models that are on this computer."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from satchel.builder.language import translate
from satchel.builder.models_page.model_rows import InstalledRow
from satchel.builder.theme.appearance import Appearance
from satchel.builder.widgets.buttons import Button, IconButton
from satchel.builder.widgets.card import Card
from satchel.builder.widgets.chip import Chip
from satchel.builder.widgets.labels import ElidedLabel, label, plain_tip, rule

_SIZE, _CONTEXT, _FITS, _LAST = 160, 80, 260, 130


class InstalledTable(Card):
    """A line for each model."""

    use_wanted = Signal(object)
    """An `InstalledRow`."""
    remove_wanted = Signal(object)

    def __init__(self, appearance: Appearance) -> None:
        super().__init__(padding=1, spacing=0)
        self._appearance = appearance
        self.lines: list[InstalledLine] = []
        self._head = _header()
        self.column.addWidget(self._head)
        self._body = QVBoxLayout()
        self._body.setSpacing(0)
        self.column.addLayout(self._body)

    def show_rows(self, rows: list[InstalledRow]) -> None:
        """Show these."""
        while (item := self._body.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.lines = []
        for row in rows:
            self._body.addWidget(rule())
            line = InstalledLine(self._appearance, row)
            line.used.connect(lambda of=row: self.use_wanted.emit(of))
            line.removed.connect(lambda of=row: self.remove_wanted.emit(of))
            self.lines.append(line)
            self._body.addWidget(line)


class InstalledLine(QWidget):
    """Name and origin, size, context, whether it fits, and what can be done with it."""

    used = Signal()
    removed = Signal()

    def __init__(self, appearance: Appearance, row: InstalledRow) -> None:
        super().__init__()
        self.row = row
        self.setProperty("role", "plain")
        self.setAccessibleName(f"{row.title}, {row.origin}, {row.size}, {row.words}")
        across = QHBoxLayout(self)
        across.setContentsMargins(17, 8, 17, 8)
        across.setSpacing(12)
        names = QVBoxLayout()
        names.setSpacing(2)
        names.addWidget(ElidedLabel(row.title, "strong"))
        names.addWidget(ElidedLabel(row.origin, "secondary"))
        across.addLayout(names, 1)
        for words, width in ((row.size, _SIZE), (row.context, _CONTEXT)):
            cell = label(words, "muted")
            cell.setFixedWidth(width)
            across.addWidget(cell)
        fits = QWidget()
        fits.setProperty("role", "plain")
        fits.setFixedWidth(_FITS)
        column = QVBoxLayout(fits)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addStretch(1)
        if row.fraction is not None:
            column.addWidget(_Share(appearance, row))
        column.addWidget(label(row.words, "secondary", wrap=True))
        column.addStretch(1)
        fits.setToolTip(plain_tip(row.model.why))
        across.addWidget(fits)
        last = QWidget()
        last.setProperty("role", "plain")
        last.setFixedWidth(_LAST)
        end = QHBoxLayout(last)
        end.setContentsMargins(0, 0, 0, 0)
        end.setSpacing(6)
        end.addStretch(1)
        if row.in_use:
            end.addWidget(Chip(appearance, translate("Models", "in use"), icon="check", tone="accent"))
        elif row.model.fits != "no":
            self.use = Button(appearance, translate("Models", "Use"), clicked=self.used.emit)
            self.use.setAccessibleName(translate("Models", "Use {name}", name=row.title))
            self.use.setToolTip(translate("Models", "It answers where an assistant names no other model."))
            end.addWidget(self.use)
        if row.removal:
            says = translate("Models", "Delete {name}", name=row.title)
            if row.removal == "unlink":
                says = translate("Models", "Take {name} out of the list", name=row.title)
            end.addWidget(IconButton(appearance, "trash-2", says, clicked=self.removed.emit))
        across.addWidget(last)


class _Share(QWidget):
    def __init__(self, appearance: Appearance, row: InstalledRow) -> None:
        super().__init__()
        self._appearance, self._row = appearance, row
        self.setFixedSize(QSize(240, 6))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._appearance.colour("sunken"))
        painter.drawRoundedRect(QRectF(self.rect()), 3, 3)
        painter.setBrush(self._appearance.colour("accent" if self._row.tone == "accent" else "amber"))
        width = max(6.0, self.width() * (self._row.fraction or 0.0))
        painter.drawRoundedRect(QRectF(0, 0, width, self.height()), 3, 3)


def _header() -> QWidget:
    head = QWidget()
    head.setProperty("role", "plain")
    across = QHBoxLayout(head)
    across.setContentsMargins(17, 8, 17, 8)
    across.setSpacing(12)
    across.addWidget(label(translate("Models", "Model"), "heading"), 1)
    for words, width in (
        (translate("Models", "Size"), _SIZE),
        (translate("Models", "Context"), _CONTEXT),
        (translate("Models", "Fits"), _FITS),
        ("", _LAST),
    ):
        cell = label(words, "heading")
        cell.setFixedWidth(width)
        across.addWidget(cell)
    return head
