"""The page between a pack and its first run."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QScrollArea, QVBoxLayout, QWidget

from satchel.builder.importing.review import Review, ReviewRow, origin_words, read_review
from satchel.builder.language import translate
from satchel.builder.operations import Failure, Operation, Step, Task
from satchel.builder.page import Page
from satchel.builder.shell import Shell
from satchel.builder.sizes import size_words
from satchel.builder.states import States, words_of
from satchel.builder.widgets.avatar import Avatar
from satchel.builder.widgets.banner import failure_banner
from satchel.builder.widgets.buttons import Button, IconButton
from satchel.builder.widgets.card import Card
from satchel.builder.widgets.chip import Chip
from satchel.builder.widgets.flow import FlowBox
from satchel.builder.widgets.labels import IconLabel, label, rule
from satchel.runtime.commands.aside import Aside
from satchel.runtime.commands.install import Installation

_SIDE_WIDTH = 300


class ImportPage(Page):
    """`arrive(path=…)` shows a pack; one that asks for nothing goes straight to its chat, unless `review` is set."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.review: Review | None = None
        self._path = Path()
        self._straight = True
        self._running: Operation | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 18, 24, 0)
        column.setSpacing(16)
        head = QHBoxLayout()
        head.setSpacing(8)
        back = IconButton(shell.appearance, "chevron-left", translate("Import", "Back to the library"))
        back.clicked.connect(self.cancel)
        head.addWidget(back)
        head.addWidget(label(translate("Import", "Review before importing"), "title"))
        head.addStretch(1)
        column.addLayout(head)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.states = States(shell.appearance, self._scroll)
        column.addWidget(self.states, 1)

    def arrive(self, path: str = "", *, review: bool = False, **_arguments: object) -> None:
        if path:
            self._path, self._straight = Path(path), not review
            self.read()

    def read(self) -> None:
        """Read the pack; nothing of it runs."""
        path, home = self._path, self.shell.home
        self.states.show_loading()

        def work(task: Task) -> Review:
            with Aside(home) as aside:
                task.when_cancelled(aside.cancel)
                return read_review(path, aside.inspect(path), home)

        self._running = self.shell.operations.run(
            work,
            owner=self,
            name="review",
            succeeded=self._show,
            failed=lambda failure: self.states.show_failed(failure, self.read),
        )

    def cancel(self) -> None:
        """Go back; nothing was imported."""
        if self._running is not None and self._running.running:
            self._running.cancel()
        self.shell.open("library")

    def escape(self) -> bool:
        self.cancel()
        return True

    def import_it(self) -> None:
        """Verify every byte, keep the pack, and open its chat."""
        path, home = self._path, self.shell.home

        def work(task: Task) -> Installation:
            with Aside(home) as aside:
                task.when_cancelled(aside.cancel)
                return aside.install(path, progress=task.progress)

        self.take.setEnabled(False)
        self._running = self.shell.operations.run(
            work, owner=self, name="import", succeeded=self._done, failed=self._failed, progressed=self._progress
        )

    def _show(self, review: Review) -> None:
        self.review = review
        self._scroll.setWidget(self._build(review))
        if review.asks_for_nothing and self._straight:
            self.states.show_working(Step(translate("Import", "checking the pack"), 0, None), self.cancel)
            self.import_it()
        else:
            self.states.show_full()
            self.take.setFocus()

    def _progress(self, step: Step) -> None:
        if self.states.state == "working":
            self.states.show_working(step, self.cancel)
        self._bar.setVisible(True)
        self._bar.setRange(0, step.total or 0)
        self._bar.setValue(step.done if step.total else 0)
        self._said.setText(words_of(step))

    def _done(self, done: Installation) -> None:
        review = self.review
        self.shell.tell_changed("assistants")
        self.shell.open("chat", reference=done.pack.pack_id)
        if review is not None:
            said = origin_words(review.description)
            if review.asks_for_nothing:
                said = translate("Import", "{origin}. It asks for nothing.", origin=said)
            path = str(review.path)
            self.shell.notify(
                said,
                action=translate("Import", "What it holds"),
                act=lambda: self.shell.open("import", path=path, review=True),
            )

    def _failed(self, failure: Failure) -> None:
        self.states.show_full()
        self.take.setEnabled(True)
        self._bar.setVisible(False)
        self._said.setText("")
        self._side.insertWidget(0, failure_banner(self.shell.appearance, failure, self.import_it))

    def _build(self, review: Review) -> QWidget:
        place = QWidget()
        place.setProperty("role", "plain")
        row = QHBoxLayout(place)
        row.setContentsMargins(0, 0, 0, 24)
        row.setSpacing(24)
        row.addWidget(self._main(review), 1, Qt.AlignmentFlag.AlignTop)
        side = QWidget()
        side.setProperty("role", "plain")
        side.setFixedWidth(_SIDE_WIDTH)
        self._side = QVBoxLayout(side)
        self._side.setContentsMargins(0, 0, 0, 0)
        self._side.setSpacing(14)
        self._fill_side(review)
        row.addWidget(side, 0, Qt.AlignmentFlag.AlignTop)
        return place

    def _main(self, review: Review) -> QWidget:
        appearance, description = self.shell.appearance, review.description
        identity = description.identity
        card = Card(padding=22, spacing=0)
        head = QHBoxLayout()
        head.setSpacing(16)
        avatar = Avatar(identity.name, identity.id, 56, review.avatar)
        head.addWidget(avatar, alignment=Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(label(identity.name, "section", wrap=True))
        if description.persona.description:
            words.addWidget(label(description.persona.description, "muted", wrap=True))
        chips = FlowBox(spacing=8)
        unsigned = description.signature == "unsigned"
        chips.add(Chip(appearance, origin_words(description), icon="shield", tone="" if unsigned else "amber"))
        chips.add(Chip(appearance, translate("Import", "version {n}", n=identity.version)))
        chips.add(Chip(appearance, size_words(description.size)))
        words.addWidget(chips)
        head.addLayout(words, 1)
        card.column.addLayout(head)
        nothing = ReviewRow(
            "circle-check",
            translate("Import", "Nothing"),
            translate("Import", "it reads what it carries, and no more: no network, no files of yours, no programs"),
        )
        for title, rows in (
            (translate("Import", "IT ASKS FOR"), review.asks or (nothing,)),
            (translate("Import", "IT CARRIES"), review.carries),
        ):
            card.column.addSpacing(22)
            card.column.addWidget(label(title, "heading"))
            card.column.addSpacing(8)
            for shown in rows:
                card.column.addWidget(rule())
                card.column.addWidget(_Row(self.shell, shown))
        return card

    def _fill_side(self, review: Review) -> None:
        appearance = self.shell.appearance
        if review.since:
            card = Card(spacing=10)
            card.column.addWidget(label(translate("Import", "Since version {n}", n=review.since), "section"))
            for change in review.changes:
                line = QHBoxLayout()
                line.setSpacing(6)
                line.addWidget(IconLabel(appearance, change.icon, size=13), alignment=Qt.AlignmentFlag.AlignTop)
                line.addWidget(label(change.title, "secondary", wrap=True), 1)
                card.column.addLayout(line)
            self._side.addWidget(card)
        promise = translate(
            "Import",
            "Nothing in this pack runs or is sent before you import it. What it asks for, it asks again in the chat.",
        )
        if review.installed:
            promise = translate("Import", "This very pack is here already.")
        self._side.addWidget(label(promise, "secondary", wrap=True))
        self._said = label("", "secondary", wrap=True)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setVisible(False)
        self._side.addWidget(self._said)
        self._side.addWidget(self._bar)
        buttons = QHBoxLayout()
        buttons.setSpacing(12)
        buttons.addStretch(1)
        buttons.addWidget(Button(appearance, translate("Import", "Cancel"), clicked=self.cancel))
        says = translate("Import", "Open the chat") if review.installed else translate("Import", "Import")
        self.take = Button(appearance, says, role="primary", clicked=self.import_it)
        buttons.addWidget(self.take)
        self._side.addLayout(buttons)


class _Row(QWidget):
    """One thing, with a link that unfolds what there is to read."""

    def __init__(self, shell: Shell, row: ReviewRow) -> None:
        super().__init__()
        appearance = shell.appearance
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 11, 0, 11)
        column.setSpacing(8)
        line = QHBoxLayout()
        line.setSpacing(14)
        line.addWidget(IconLabel(appearance, row.icon), alignment=Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(label(row.title, "strong", wrap=True))
        words.addWidget(label(row.detail, "secondary", wrap=True))
        line.addLayout(words, 1)
        if row.note:
            line.addWidget(Chip(appearance, row.note), alignment=Qt.AlignmentFlag.AlignTop)
        if row.action:
            self._says = row.action
            self._link = Button(appearance, row.action, role="link", clicked=self._unfold)
            line.addWidget(self._link, alignment=Qt.AlignmentFlag.AlignTop)
        column.addLayout(line)
        self._more = label(row.more, "secondary", wrap=True, selectable=True)
        self._more.setContentsMargins(30, 0, 0, 0)
        self._more.hide()
        column.addWidget(self._more)

    def _unfold(self) -> None:
        self._more.setVisible(self._more.isHidden())
        self._link.set_text(self._says if self._more.isHidden() else translate("Import", "Close"))
