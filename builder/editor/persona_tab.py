"""The tab "Persona": who the assistant is, and how it is to answer."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QMenu, QPlainTextEdit, QVBoxLayout

from satchel.builder.editor.draft import Draft, estimate_tokens
from satchel.builder.editor.picture import square_png
from satchel.builder.editor.starters import Starters
from satchel.builder.editor.tab import Tab, show_line, show_text
from satchel.builder.language import translate
from satchel.builder.shell import Shell
from satchel.builder.widgets.avatar import Avatar
from satchel.builder.widgets.buttons import Button
from satchel.builder.widgets.card import restyle
from satchel.builder.widgets.field import Field
from satchel.builder.widgets.labels import IconLabel, label

_LONGEST_NAME, _LONGEST_LINE, _LONGEST_GREETING = 100, 1000, 2000
_INSTRUCTION_LINES = 9


class PersonaTab(Tab):
    """Name, picture, purpose, instructions, greeting, starters."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._budget = 8192
        self._quotes = False
        self.column.addLayout(self._head())
        self.column.addLayout(self._instructions())
        self.greeting = QLineEdit()
        self.greeting.setMaxLength(_LONGEST_GREETING)
        self.column.addWidget(Field(translate("Editor", "Greeting"), self.greeting))
        self.starters = Starters(shell.appearance)
        self.starters.made.connect(self.undoable)
        self.column.addWidget(self.starters)
        self.column.addStretch(1)
        for line in (self.name, self.purpose, self.greeting):
            self.undoable(line)
        self.undoable(self.instructions)
        self.name.textEdited.connect(lambda text: self._edit("name", text))
        self.purpose.textEdited.connect(lambda text: self._edit("description", text))
        self.greeting.textEdited.connect(lambda text: self._edit("greeting", text))
        self.starters.changed.connect(lambda starters: self._edit("starters", starters))
        self.instructions.textChanged.connect(self._on_instructions)

    def show_draft(self, draft: Draft) -> None:
        assistant = draft.assistant
        self.avatar.show_assistant(assistant.name, assistant.id, draft.avatar)
        show_line(self.name, assistant.name)
        show_line(self.purpose, " ".join(assistant.description.split("\n")))
        show_line(self.greeting, " ".join(assistant.greeting.split("\n")))
        self.starters.show_starters(list(assistant.starters))
        show_text(self.instructions, draft.instructions)
        self._count()

    def complain(self, key: str, why: str) -> None:
        self._name_field.complain(why if key == "name" else "")

    def show_speaker(self, *, quotes: bool, context: int) -> None:
        """Know what the preview answers with: quotes follow no instructions."""
        self._quotes = quotes
        self._budget = context or self._budget
        self._note.setVisible(quotes)
        self._note_icon.setVisible(quotes)
        self._count()

    def choose_picture(self) -> None:
        """Let the person pick a picture file."""
        pictures = translate("Editor", "Pictures (*.png *.jpg *.jpeg *.webp *.gif *.bmp)")
        chosen, _ = QFileDialog.getOpenFileName(self, translate("Editor", "Choose a picture"), "", pictures)
        if chosen:
            self.take_picture(Path(chosen))

    def take_picture(self, path: Path) -> None:
        """Use a picture file; it is copied into the assistant."""
        self.shell.operations.run(
            lambda _task: square_png(path),
            owner=self,
            name="picture",
            succeeded=self._take_avatar,
            failed=lambda failure: self.shell.notify(f"{failure.message} {failure.advice}"),
        )

    def _take_avatar(self, avatar: bytes) -> None:
        if self.document is not None:
            self.document.edit_beside("avatar", avatar=avatar)
            self.show_draft(self.document.draft)

    def _head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(16)
        left = QVBoxLayout()
        left.setSpacing(4)
        self.avatar = Avatar("", "", 72)
        left.addWidget(self.avatar)
        self.change = Button(self.shell.appearance, translate("Editor", "Change"), role="link")
        menu = QMenu(self.change)
        for says, act in (
            (translate("Editor", "Choose a picture…"), self.choose_picture),
            (translate("Editor", "Use initials"), lambda: self._take_avatar(b"")),
        ):
            action = QAction(says, menu)
            action.triggered.connect(lambda _checked=False, run=act: run())
            menu.addAction(action)
        self.change.setMenu(menu)
        self.change.setAccessibleName(translate("Editor", "Change the picture"))
        left.addWidget(self.change, alignment=Qt.AlignmentFlag.AlignHCenter)
        left.addStretch(1)
        row.addLayout(left)
        right = QVBoxLayout()
        right.setSpacing(12)
        self.name = QLineEdit()
        self.name.setMaxLength(_LONGEST_NAME)
        self._name_field = Field(translate("Editor", "Name"), self.name)
        right.addWidget(self._name_field)
        self.purpose = QLineEdit()
        self.purpose.setMaxLength(_LONGEST_LINE)
        right.addWidget(Field(translate("Editor", "What is it for?"), self.purpose))
        row.addLayout(right, 1)
        return row

    def _instructions(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(4)
        head = QHBoxLayout()
        title = label(translate("Editor", "Instructions"), "secondary")
        head.addWidget(title)
        head.addStretch(1)
        self.tokens = label("", "secondary")
        self.tokens.setToolTip(translate("Editor", "An estimate: models count differently."))
        head.addWidget(self.tokens)
        column.addLayout(head)
        self.instructions = QPlainTextEdit()
        self.instructions.setAccessibleName(translate("Editor", "Instructions"))
        self.instructions.setTabChangesFocus(True)
        self.instructions.setPlaceholderText(
            translate("Editor", "How should it answer? Whom does it speak to? What does it do when it does not know?")
        )
        self.instructions.setMinimumHeight(_INSTRUCTION_LINES * self.instructions.fontMetrics().lineSpacing() + 20)
        title.setBuddy(self.instructions)
        column.addWidget(self.instructions)
        note = QHBoxLayout()
        note.setSpacing(6)
        self._note_icon = IconLabel(self.shell.appearance, "info", "muted", 14)
        self._note = label(
            translate("Editor", "Quotes do not follow instructions; a language model does."), "secondary", wrap=True
        )
        note.addWidget(self._note_icon)
        note.addWidget(self._note, 1)
        column.addLayout(note)
        return column

    def _edit(self, field: str, value: object) -> None:
        if self.document is not None:
            self.document.edit(field, **{field: value})
            assistant = self.document.draft.assistant
            self.avatar.show_assistant(assistant.name, assistant.id, self.document.draft.avatar)

    def _on_instructions(self) -> None:
        if self.document is not None:
            self.document.edit_beside("instructions", instructions=self.instructions.toPlainText())
        self._count()

    def _count(self) -> None:
        count = estimate_tokens(self.instructions.toPlainText())
        self.tokens.setText(translate("Editor", "about {n} of {m} tokens", n=f"{count:,}", m=f"{self._budget:,}"))
        restyle(self.tokens, role="danger" if count * 2 > self._budget else "secondary")
