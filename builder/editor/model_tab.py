"""The tab "Model": which one it is made for, what this computer makes of it, and how it chooses its words."""

from __future__ import annotations

from pathlib import Path

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QRadioButton, QVBoxLayout, QWidget

from satchel.builder.editor.draft import Draft
from satchel.builder.editor.model_choices import Choice, choices, chosen, preference
from satchel.builder.editor.sampling_settings import SamplingSettings
from satchel.builder.editor.tab import Tab
from satchel.builder.language import translate
from satchel.builder.shell import Shell
from satchel.builder.states import States
from satchel.builder.widgets.buttons import Button
from satchel.builder.widgets.card import Card
from satchel.builder.widgets.chip import Chip
from satchel.builder.widgets.field import Field
from satchel.builder.widgets.labels import label, plain_tip, rule
from satchel.builder.widgets.number import WholeNumber
from satchel.runtime.commands.models_list import ListedModel, ModelList, list_usable
from satchel.runtime.settings import load_settings

_FIELD = 340


class ModelTab(Tab):
    """Models are looked for when the tab is first shown."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._listed: ModelList | None = None
        self._choices: list[Choice] = []
        self.buttons: list[QRadioButton] = []
        self.column.addWidget(label(translate("Model", "Made for"), "section"))
        self._card = Card(padding=1, spacing=0)
        self.states = States(shell.appearance, self._card)
        self.column.addWidget(self.states)
        self.plan = label("", "secondary", wrap=True, selectable=True)
        self.column.addWidget(self.plan)
        self.context = WholeNumber(
            0, 2**20, unit=translate("Model", " tokens"), step=1024, zero=translate("Model", "whatever it has")
        )
        self.context.valueChanged.connect(self._edit_context)
        self._context = Field(translate("Model", "It needs a context window of at least"), self.context)
        self._context.setMaximumWidth(_FIELD)
        self.column.addWidget(self._context)
        row = QHBoxLayout()
        manage = translate("Model", "Add or remove models")
        row.addWidget(Button(shell.appearance, manage, role="link", clicked=lambda: shell.open("models")))
        row.addStretch(1)
        self.column.addLayout(row)
        self.column.addSpacing(8)
        self.column.addWidget(label(translate("Model", "How it chooses its words"), "section"))
        self.sampling = SamplingSettings()
        self.sampling.changed.connect(self._edit_sampling)
        self.column.addWidget(self.sampling)
        self.column.addStretch(1)
        shell.changed.connect(self._on_changed)

    def arrive(self) -> None:
        if self._listed is None:
            self.read()

    def read(self) -> None:
        """Look for models; nothing is loaded."""
        home = self.shell.home
        self.states.show_loading()
        self.shell.operations.run(
            lambda _task: list_usable(home, load_settings(home.settings)),
            owner=self,
            name="models",
            succeeded=self._show,
            failed=lambda failure: self.states.show_failed(failure, self.read),
        )

    def show_draft(self, draft: Draft) -> None:
        models = draft.assistant.models
        self.context.blockSignals(True)
        self.context.setValue(models[0].minimum_context if models else 0)
        self.context.blockSignals(False)
        self._context.setVisible(bool(models))
        self.sampling.show_sampling(draft.assistant.sampling)
        if self._listed is not None:
            self._fill(draft)

    def complain(self, key: str, why: str) -> None:
        self.sampling.complain(key, why)

    def choose(self, choice: Choice) -> None:
        """Make the assistant for this model."""
        if self.document is None or choice.missing is not None:
            return
        if choice.model is None:
            self.document.edit("models", models=[])
            self.show_draft(self.document.draft)
            return
        model, home = choice.model, self.shell.home
        self._take(model, "")  # at once; its hash takes a while where the file is large

        def hashed(sha256: str) -> None:
            if self.document is not None and [one.name for one in self.document.draft.assistant.models] == [model.name]:
                self._take(model, sha256)

        self.shell.operations.run(
            lambda _task: _sha256(Path(model.path), home.cache), owner=self, name="hash", succeeded=hashed
        )

    def _take(self, model: ListedModel, sha256: str) -> None:
        assert self.document is not None  # see `choose`
        before = self.document.draft.assistant.models
        context = before[0].minimum_context if before else 0
        self.document.edit("models", models=[preference(model, sha256, context)])
        self.show_draft(self.document.draft)

    def _show(self, listed: ModelList) -> None:
        self._listed = listed
        self.states.show_full()
        if self.document is not None:
            self._fill(self.document.draft)

    def _fill(self, draft: Draft) -> None:
        assert self._listed is not None  # see the callers
        found = choices(self._listed, draft.assistant)
        now = chosen(found, draft.assistant)
        if found != self._choices:
            self._choices = found
            self._rebuild(found)
        for button, choice in zip(self.buttons, found, strict=True):
            button.blockSignals(True)
            button.setChecked(choice is now or choice == now)
            button.blockSignals(False)
        self.plan.setText(self._plan_words(now))

    def _plan_words(self, now: Choice | None) -> str:
        if now is None or now.missing is not None:
            return ""
        if now.model is not None:
            return translate("Model", "On this computer it {plan}.", plan=now.model.why)
        if self._listed is not None and not self._listed.models:
            return translate("Model", "There is no language model on this computer yet: answers are quotes.")
        return translate("Model", "Your default model answers, or quotes where you have none.")

    def _rebuild(self, found: list[Choice]) -> None:
        while (item := self._card.column.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.buttons = []
        group = QButtonGroup(self._card)
        for number, choice in enumerate(found):
            if number:
                self._card.column.addWidget(rule())
            line, button = self._line(choice)
            group.addButton(button)
            self.buttons.append(button)
            self._card.column.addWidget(line)

    def _line(self, choice: Choice) -> tuple[QWidget, QRadioButton]:
        line = QWidget()
        line.setProperty("role", "plain")
        row = QHBoxLayout(line)
        row.setContentsMargins(15, 8, 15, 8)
        row.setSpacing(12)
        button = QRadioButton()
        button.setAccessibleName(choice.title)
        button.toggled.connect(lambda on, of=choice: self.choose(of) if on else None)
        row.addWidget(button)
        words = QVBoxLayout()
        words.setSpacing(2)
        title: QLabel = label(choice.title, "strong" if choice.model is not None else "")
        words.addWidget(title)
        words.addWidget(label(choice.about, "secondary"))
        row.addLayout(words, 1)
        if choice.fits:
            chip = Chip(self.shell.appearance, choice.fits, tone=choice.tone)
            chip.setToolTip(plain_tip(choice.model.why) if choice.model is not None else "")
            row.addWidget(chip, alignment=Qt.AlignmentFlag.AlignVCenter)
        return line, button

    def _edit_context(self, tokens: int) -> None:
        if self.document is not None and (models := self.document.draft.assistant.models):
            first = msgspec.structs.replace(models[0], minimum_context=tokens)
            self.document.edit("models.context", models=[first, *models[1:]])

    def _edit_sampling(self, key: str, value: object) -> None:
        if self.document is not None:
            self.document.edit_part("sampling", key, **{key: value})

    def _on_changed(self, subject: str) -> None:
        if subject == "models" and self._listed is not None:
            self.read()


def _sha256(path: Path, cache: Path) -> str:
    from satchel.runtime.engine.known_hashes import KnownHashes

    return KnownHashes(cache).sha256(path)
