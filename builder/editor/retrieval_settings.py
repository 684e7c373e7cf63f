"""For those who look for them: how files are cut, and how much of them an answer sees."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from satchel.builder.language import translate
from satchel.builder.theme.appearance import Appearance
from satchel.builder.widgets.buttons import Button
from satchel.builder.widgets.field import Field
from satchel.builder.widgets.number import WholeNumber
from satchel.builder.widgets.tick import Tick
from satchel.runtime.project.schema import Retrieval

_GATE_STEPS = (0.2, 0.35, 0.5, 0.65, 0.8)


class RetrievalSettings(QWidget):
    """Folded under "More"."""

    changed = Signal(str, object)
    """A key of `[retrieval]`, and its value."""
    embedder_changed = Signal(str)

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self.setProperty("role", "plain")
        self._showing = False
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        self.more = Button(
            appearance, translate("Knowledge", "More"), role="link", icon="chevron-right", colour="accent"
        )
        self.more.clicked.connect(lambda _checked=False: self.unfold(folded=not self._inside.isHidden()))
        line = QHBoxLayout()
        line.addWidget(self.more)
        line.addStretch(1)
        column.addLayout(line)
        self._inside = QWidget()
        self._inside.setProperty("role", "plain")
        grid = QGridLayout(self._inside)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(12)
        self.size = WholeNumber(16, 8192, unit=translate("Knowledge", " tokens"), step=20)
        self.overlap = WholeNumber(0, 4096, unit=translate("Knowledge", " tokens"), step=10)
        self.k = WholeNumber(1, 100)
        self.gate = QComboBox()
        self.gate.addItem(translate("Knowledge", "As measured (recommended)"), "auto")
        self.gate.addItem(translate("Knowledge", "Show everything that is found"), "off")
        for share in _GATE_STEPS:
            says = translate("Knowledge", "At least {n} likely to bear on it", n=f"{share:.0%}")
            self.gate.addItem(says, share)
        self.embedder = QComboBox()
        self.embedder.addItem(translate("Knowledge", "English"), "default")
        self.embedder.addItem(translate("Knowledge", "Many languages"), "multilingual")
        for place, (says, editor, hint) in enumerate(
            (
                (translate("Knowledge", "Length of a passage"), self.size, ""),
                (translate("Knowledge", "Overlap of passages"), self.overlap, ""),
                (translate("Knowledge", "Passages for an answer"), self.k, ""),
                (translate("Knowledge", "Relevance gate"), self.gate, ""),
                (translate("Knowledge", "Language of the files"), self.embedder, ""),
            )
        ):
            grid.addWidget(Field(says, editor, hint=hint), place // 2, place % 2)
        self.rerank = Tick(appearance, translate("Knowledge", "Let the Reader sort what was found (slower)"))
        grid.addWidget(self.rerank, 2, 1)
        column.addWidget(self._inside)
        self._inside.hide()
        self.size.valueChanged.connect(lambda value: self._tell("passage_tokens", value))
        self.overlap.valueChanged.connect(lambda value: self._tell("overlap_tokens", value))
        self.k.valueChanged.connect(lambda value: self._tell("k", value))
        self.gate.activated.connect(lambda _at: self._tell("gate", self.gate.currentData()))
        self.rerank.toggled.connect(lambda on: self._tell("rerank", on))
        self.embedder.activated.connect(lambda _at: self.embedder_changed.emit(self.embedder.currentData()))

    def unfold(self, *, folded: bool = False) -> None:
        """Show the settings, or hide them."""
        self._inside.setVisible(not folded)
        self.more.set_text(translate("Knowledge", "More") if folded else translate("Knowledge", "Less"))

    def show_settings(self, retrieval: Retrieval, embedder: str) -> None:
        """Show these."""
        self._showing = True
        self.size.setValue(retrieval.passage_tokens)
        self.overlap.setValue(retrieval.overlap_tokens)
        self.k.setValue(retrieval.k)
        self.rerank.setChecked(retrieval.rerank)
        _choose(self.gate, retrieval.gate)
        _choose(self.embedder, embedder)
        self._showing = False

    def complain(self, key: str, why: str) -> None:
        """Say at its field what is wrong."""
        for name, editor in (("passage_tokens", self.size), ("overlap_tokens", self.overlap), ("k", self.k)):
            field = editor.parentWidget()
            assert isinstance(field, Field)  # see `__init__`
            field.complain(why if key == f"retrieval.{name}" else "")

    def _tell(self, key: str, value: object) -> None:
        if not self._showing:
            self.changed.emit(key, value)


def _choose(box: QComboBox, value: object) -> None:
    """Mark an entry; a value that a person wrote into the file by hand becomes an entry of its own."""
    at = box.findData(value)
    if at < 0:
        box.addItem(f"{value:.0%}" if isinstance(value, float) else str(value), value)
        at = box.count() - 1
    box.setCurrentIndex(at)
