"""One case: its question, what is expected, and how it went."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLineEdit

from satchel.builder.editor.case_list import Mark, also_expected, with_expected, with_question
from satchel.builder.editor.tab import show_line
from satchel.builder.language import translate
from satchel.builder.theme.appearance import Appearance
from satchel.builder.widgets.buttons import IconButton
from satchel.builder.widgets.card import Card, restyle
from satchel.builder.widgets.labels import IconLabel, label
from satchel.builder.widgets.number import WholeNumber
from satchel.builder.widgets.tick import Tick
from satchel.runtime.evals.cases import Case

_ANY = ""


class CaseCard(Card):
    """Everything of a case that people change often; what else is expected is told and stays."""

    changed = Signal(object)
    """The `Case` as it is in the form."""

    def __init__(self, appearance: Appearance, case: Case) -> None:
        super().__init__(padding=14, spacing=8)
        self.case = case
        self._showing = False
        head = QHBoxLayout()
        head.setSpacing(10)
        self._icon = IconLabel(appearance, "messages-square", "muted")
        head.addWidget(self._icon)
        self.question = QLineEdit()
        self.question.setPlaceholderText(translate("Evals", "When does the harbour flood?"))
        self.question.setAccessibleName(translate("Evals", "Question"))
        head.addWidget(self.question, 1)
        self.remove = IconButton(appearance, "x", translate("Evals", "Remove this case"))
        head.addWidget(self.remove)
        self.column.addLayout(head)
        self.column.addLayout(self._expected())
        foot = QHBoxLayout()
        foot.setContentsMargins(26, 0, 0, 0)
        self.refuses = Tick(appearance, translate("Evals", "It must say that the files do not hold this"))
        foot.addWidget(self.refuses)
        self._also = label("", "secondary", wrap=True)
        foot.addWidget(self._also, 1)
        self.column.addLayout(foot)
        self._mark = label("", "secondary", wrap=True, selectable=True)
        self._mark.setContentsMargins(26, 0, 0, 0)
        self.column.addWidget(self._mark)
        self._mark.hide()
        self._said = label("", "secondary", wrap=True, selectable=True)
        self._said.setContentsMargins(26, 0, 0, 0)
        self.column.addWidget(self._said)
        self._said.hide()
        self.question.textEdited.connect(lambda text: self._tell(with_question(self.case, text, ())))
        self.contains.textEdited.connect(self._edit_contains)
        self.page.valueChanged.connect(lambda page: self._tell(with_expected(self.case, page=page or None)))
        self.file.activated.connect(self._edit_file)
        self.refuses.toggled.connect(lambda on: self._tell(with_expected(self.case, refuses=on)))
        self.show_case(case)

    def _expected(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setContentsMargins(26, 0, 0, 0)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(4)
        self.file = QComboBox()
        self.file.setMinimumWidth(120)
        self.page = WholeNumber(0, 100_000, zero=translate("Evals", "any"))
        self.page.setFixedWidth(72)
        self.contains = QLineEdit()
        self.contains.setPlaceholderText(translate("Evals", "words, with | between several"))
        for column, (says, editor) in enumerate(
            (
                (translate("Evals", "From the file"), self.file),
                (translate("Evals", "Page"), self.page),
                (translate("Evals", "The answer holds"), self.contains),
            )
        ):
            grid.addWidget(label(says, "secondary"), 0, column)
            editor.setAccessibleName(says)
            grid.addWidget(editor, 1, column)
        grid.setColumnStretch(0, 2)
        grid.setColumnStretch(2, 3)
        return grid

    def lines(self) -> tuple[QLineEdit, ...]:
        """Return the fields in which one types."""
        return self.question, self.contains

    def offer_files(self, names: Sequence[str]) -> None:
        """Let the person choose among these files; the one that is expected is there even if it is gone."""
        self._showing = True
        self.file.clear()
        self.file.addItem(translate("Evals", "any file"), _ANY)
        wanted = self.case.expect.file
        for name in dict.fromkeys([*names, *([wanted] if wanted else [])]):
            self.file.addItem(name, name)
        self.file.setCurrentIndex(max(0, self.file.findData(wanted or _ANY)))
        self._showing = False

    def show_case(self, case: Case) -> None:
        """Show another state of it."""
        self.case = case
        self._showing = True
        expect = case.expect
        show_line(self.question, case.question)
        if _parts(self.contains.text()) != expect.contains:
            show_line(self.contains, " | ".join(expect.contains))
        self.page.setValue(expect.page or 0)
        if self.file.findData(expect.file or _ANY) < 0:
            self.file.addItem(expect.file or "", expect.file or _ANY)
        self.file.setCurrentIndex(self.file.findData(expect.file or _ANY))
        self.refuses.setChecked(expect.refuses)
        self._also.setText(also_expected(case))
        self._showing = False

    def show_mark(self, mark: Mark | None) -> None:
        """Show how it went; None: nothing is known any more."""
        self._mark.setVisible(mark is not None)
        self._said.setVisible(mark is not None and bool(mark.answer))
        if mark is None:
            self._icon.set_icon("messages-square", "muted")
            return
        self._icon.set_icon("circle-check" if mark.passed else "circle-alert", "accent" if mark.passed else "red")
        self._mark.setText(mark.words)
        self._said.setText(translate("Evals", "It said: {answer}", answer=mark.answer))
        restyle(self._mark, role="secondary" if mark.passed else "danger")
        self.setAccessibleDescription(mark.words)

    def _edit_contains(self, text: str) -> None:
        self._tell(with_expected(self.case, contains=_parts(text)))

    def _edit_file(self, _at: int) -> None:
        self._tell(with_expected(self.case, file=self.file.currentData() or None))

    def _tell(self, case: Case) -> None:
        if not self._showing and case != self.case:
            self.case = case
            self.show_mark(None)
            self.changed.emit(case)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split("|") if part.strip()]
