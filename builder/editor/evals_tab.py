"""The tab "Evals": questions with what is expected of their answers, asked all at once."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout

from satchel.builder.editor.case_card import CaseCard
from satchel.builder.editor.case_list import marks, new_case
from satchel.builder.editor.draft import Draft
from satchel.builder.editor.knowledge_work import KnowledgeWork
from satchel.builder.editor.tab import Tab
from satchel.builder.language import counted, translate
from satchel.builder.operations import Failure, Operation, Step, Task
from satchel.builder.shell import Shell
from satchel.builder.widgets.banner import Banner, failure_banner
from satchel.builder.widgets.buttons import Button
from satchel.builder.widgets.labels import label
from satchel.runtime.commands.aside import Aside
from satchel.runtime.commands.evaluate import Evaluation
from satchel.runtime.evals.cases import Case


class EvalsTab(Tab):
    """A card for each case; "Run them" asks each in a chat of its own, of which nothing is kept."""

    def __init__(self, shell: Shell, work: KnowledgeWork) -> None:
        super().__init__(shell)
        self._work = work
        self._running: Operation | None = None
        self.cards: list[CaseCard] = []
        self.column.setSpacing(12)
        self.column.addLayout(self._head())
        self._banners = QVBoxLayout()
        self.column.addLayout(self._banners)
        self._banner: Banner | None = None
        self._list = QVBoxLayout()
        self._list.setSpacing(10)
        self.column.addLayout(self._list)
        self._empty = label(
            translate("Evals", "A case is a question and what its answer must hold. Run them after each change."),
            "muted",
        )
        self.column.addWidget(self._empty)
        add = translate("Evals", "Add a case")
        self.add = Button(shell.appearance, add, role="link", icon="plus", colour="accent", clicked=self.add_case)
        self.column.addWidget(self.add, alignment=Qt.AlignmentFlag.AlignLeft)
        self.column.addStretch(1)

    def arrive(self) -> None:
        names = [file.name for file in self._work.overview.files]
        for card in self.cards:
            card.offer_files(names)

    def show_draft(self, draft: Draft) -> None:
        assert self.document is not None  # a draft comes with it
        if self.document.cases_problem:
            about = translate("Evals", "The cases cannot be read, and stay as they are.")
            self._tell(Banner(self.shell.appearance, about, detail=self.document.cases_problem, dismissable=False))
            self.add.setEnabled(False)
            self.run.setEnabled(False)
            return
        if len(self.cards) != len(draft.cases):
            self._rebuild(draft.cases)
        else:
            for card, case in zip(self.cards, draft.cases, strict=True):
                card.show_case(case)
        self._empty.setVisible(not draft.cases)
        self.run.setEnabled(bool(draft.cases) and self._running is None)

    def add_case(self) -> None:
        """Add an empty case."""
        if self.document is not None:
            cases = self.document.draft.cases
            self._edit("cases", (*cases, new_case(cases)))
            self.cards[-1].question.setFocus()

    def run_cases(self) -> None:
        """Ask all of them."""
        if self.document is not None:
            self.document.when_saved(self._run_now)

    def cancel(self) -> None:
        """Stop asking."""
        if self._running is not None:
            self._running.cancel()

    def close_down(self) -> None:
        self.cancel()

    def _run_now(self) -> None:
        assert self.document is not None  # see `run_cases`
        folder, home = self.document.folder, self.shell.home

        def work(task: Task) -> Evaluation:
            with Aside(home) as aside:
                task.when_cancelled(aside.cancel)
                return aside.evaluate(str(folder), None, progress=task.progress)

        self._dismiss()
        for card in self.cards:
            card.show_mark(None)
        self._running = self.shell.operations.run(
            work, owner=self, name="evals", succeeded=self._show, failed=self._failed, progressed=self._progress
        )
        self._running.finished.connect(self._on_finished)
        self.run.setEnabled(False)
        self.stop.show()
        self._bar.show()
        self._bar.setRange(0, 0)

    def _progress(self, step: Step) -> None:
        self._bar.setRange(0, step.total or 0)
        self._bar.setValue(step.done if step.total else 0)

    def _show(self, evaluation: Evaluation) -> None:
        found = marks(evaluation)
        for card in self.cards:
            card.show_mark(found.get(card.case.id))
        passed = translate("Evals", "{n} of {m} passed", n=evaluation.passed, m=len(evaluation.outcomes))
        self.said.setText(passed)

    def _failed(self, failure: Failure) -> None:
        self._tell(failure_banner(self.shell.appearance, failure, self.run_cases))

    def _on_finished(self) -> None:
        self._running = None
        self.run.setEnabled(bool(self.cards))
        self.stop.hide()
        self._bar.hide()

    def _head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(12)
        appearance = self.shell.appearance
        self.run = Button(appearance, translate("Evals", "Run them"), icon="play", clicked=self.run_cases)
        row.addWidget(self.run)
        self.said = label("", "secondary")
        row.addWidget(self.said)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(160)
        self._bar.hide()
        row.addWidget(self._bar)
        self.stop = Button(appearance, translate("Evals", "Stop"), role="link", clicked=self.cancel)
        self.stop.hide()
        row.addWidget(self.stop)
        row.addStretch(1)
        return row

    def _rebuild(self, cases: tuple[Case, ...]) -> None:
        for card in self.cards:
            self._list.removeWidget(card)
            card.hide()
            card.deleteLater()
        self.cards = []
        names = [file.name for file in self._work.overview.files]
        for number, case in enumerate(cases):
            card = CaseCard(self.shell.appearance, case)
            card.offer_files(names)
            card.changed.connect(lambda changed, at=number: self._change(at, changed))
            card.remove.clicked.connect(lambda _checked=False, at=number: self._remove(at))
            for field in card.lines():
                self.undoable(field)
            self.cards.append(card)
            self._list.addWidget(card)
        count = counted(len(cases), translate("Evals", "{n} case"), translate("Evals", "{n} cases"))
        self.said.setText(count if cases else "")

    def _change(self, at: int, changed: Case) -> None:
        if self.document is not None:
            cases = list(self.document.draft.cases)
            cases[at] = changed
            self._edit(f"cases.{at}", tuple(cases))

    def _remove(self, at: int) -> None:
        if self.document is not None:
            cases = list(self.document.draft.cases)
            del cases[at]
            self._edit("cases", tuple(cases))

    def _edit(self, field: str, cases: tuple[Case, ...]) -> None:
        assert self.document is not None  # see the callers
        self.document.edit_beside(field, cases=cases)
        self.show_draft(self.document.draft)

    def _tell(self, banner: Banner) -> None:
        self._dismiss()
        self._banner = banner
        self._banners.addWidget(banner)

    def _dismiss(self) -> None:
        if self._banner is not None:
            self._banner.hide()
            self._banner.deleteLater()
            self._banner = None
