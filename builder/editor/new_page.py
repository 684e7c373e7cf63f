"""A new assistant: what it is to be for, and its name; everything else comes in the editor."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from satchel.builder.language import translate
from satchel.builder.operations import Failure, Task
from satchel.builder.page import Page
from satchel.builder.shell import Shell
from satchel.builder.states import States
from satchel.builder.widgets.buttons import Button, IconButton
from satchel.builder.widgets.card import CardButton, restyle
from satchel.builder.widgets.field import Field
from satchel.builder.widgets.flow import CardGrid
from satchel.builder.widgets.labels import ElidedLabel, IconLabel, label
from satchel.runtime.commands.duplicate import free_folder
from satchel.runtime.project.template import DEFAULT_TEMPLATE, Template, create_project, list_templates

_ICONS = {"blank": "file-text", "documents": "book-open", "handbook": "shield", "tutor": "library", "writing": "pencil"}
_LONGEST_NAME = 100
_WIDTH = 760


class NewPage(Page):
    """Cards of templates; choosing one and "Make it" opens the editor."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.cards: dict[str, _TemplateCard] = {}
        self.chosen = DEFAULT_TEMPLATE
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 18, 24, 24)
        column.setSpacing(16)
        head = QHBoxLayout()
        head.setSpacing(8)
        back = IconButton(shell.appearance, "chevron-left", translate("New", "Back to the library"))
        back.clicked.connect(lambda: self.shell.open("library"))
        head.addWidget(back)
        head.addWidget(label(translate("New", "New assistant"), "title"))
        head.addStretch(1)
        column.addLayout(head)
        content = QWidget()
        content.setProperty("role", "plain")
        content.setMaximumWidth(_WIDTH)
        inner = QVBoxLayout(content)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(16)
        self.name = QLineEdit()
        self.name.setMaxLength(_LONGEST_NAME)
        self.name.setPlaceholderText(translate("New", "Tide tutor"))
        self.name.returnPressed.connect(self.make)
        inner.addWidget(Field(translate("New", "Name"), self.name))
        inner.addWidget(label(translate("New", "Begin with"), "secondary"))
        self._grid = CardGrid(least_width=300, height=84, spacing=12)
        inner.addWidget(self._grid)
        foot = QHBoxLayout()
        foot.addWidget(label(translate("New", "You can change everything afterwards."), "secondary"))
        foot.addStretch(1)
        self.button = Button(shell.appearance, translate("New", "Make it"), role="primary", clicked=self.make)
        foot.addWidget(self.button)
        inner.addLayout(foot)
        inner.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(content)
        self.states = States(shell.appearance, scroll)
        column.addWidget(self.states, 1)

    def arrive(self, **_arguments: object) -> None:
        self.name.clear()
        self.name.setFocus()
        if not self.cards:
            self.states.show_loading()
            self.shell.operations.run(
                lambda _task: list_templates(),
                owner=self,
                name="templates",
                succeeded=self._show,
                failed=lambda failure: self.states.show_failed(failure, self.arrive),
            )

    def escape(self) -> bool:
        self.shell.open("library")
        return True

    def make(self) -> None:
        """Make the folder, and open it in the editor."""
        name, template, home = self.name.text().strip(), self.chosen, self.shell.home

        def work(_task: Task) -> str:
            called = name or translate("New", "New assistant")
            return str(create_project(free_folder(called, home), template=template, name=called).folder)

        def done(folder: str) -> None:
            self.button.setEnabled(True)
            self.shell.tell_changed("assistants")
            self.shell.open("editor", folder=folder)

        def failed(failure: Failure) -> None:
            self.button.setEnabled(True)
            self.states.show_failed(failure, self.make)

        self.button.setEnabled(False)
        self.shell.operations.run(work, owner=self, name="new", succeeded=done, failed=failed)

    def choose(self, template: str) -> None:
        """Mark a template."""
        self.chosen = template
        for name, card in self.cards.items():
            restyle(card, chosen=name == template)

    def _show(self, templates: tuple[Template, ...]) -> None:
        # What most people want comes first, the empty one last.
        for template in sorted(
            templates, key=lambda one: (one.name != DEFAULT_TEMPLATE, one.name == "blank", one.name)
        ):
            card = _TemplateCard(self.shell, template)
            card.opened.connect(lambda name=template.name: self.choose(name))
            self.cards[template.name] = card
            self._grid.add(card)
        self.choose(self.chosen)
        self.states.show_full()
        self.name.setFocus()


class _TemplateCard(CardButton):
    def __init__(self, shell: Shell, template: Template) -> None:
        super().__init__(template.purpose, spacing=4)
        self.setAccessibleDescription(template.description)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(IconLabel(shell.appearance, _ICONS.get(template.name, "file-text"), "accent", 20))
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(ElidedLabel(template.purpose, "strong"))
        about = template.description or translate("New", "An empty form.")
        words.addWidget(label(about, "secondary", wrap=True))
        row.addLayout(words, 1)
        self.column.addLayout(row)
