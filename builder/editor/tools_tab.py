"""The tab "Tools": what the assistant can do beside talking, and what each of it may touch."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout

from satchel.builder.editor.draft import Draft
from satchel.builder.editor.tab import Tab, show_line
from satchel.builder.editor.tools_list import (
    ToolKind,
    made,
    may_write,
    setting_of,
    tool_kinds,
    touches,
    unknown_tools,
    with_writing,
)
from satchel.builder.language import translate
from satchel.builder.shell import Shell
from satchel.builder.widgets.card import Card
from satchel.builder.widgets.field import Field
from satchel.builder.widgets.labels import IconLabel, label
from satchel.builder.widgets.tick import Tick
from satchel.runtime.permissions.errors import CapabilityError
from satchel.runtime.project.schema import Tool


class ToolsTab(Tab):
    """A card for each tool."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.column.setSpacing(10)
        about = translate(
            "Tools", "Tools need a language model. A ticked tool is allowed for you; whoever gets the pack is asked."
        )
        self.column.addWidget(label(about, "secondary", wrap=True))
        self.cards: dict[str, ToolCard] = {}
        for kind in tool_kinds():
            self._add(kind)
        self.column.addStretch(1)
        self._looked = False

    def arrive(self) -> None:
        if not self._looked:
            self._looked = True
            cache = self.shell.home.cache
            self.shell.operations.run(
                lambda _task: _sandbox_problem(cache), owner=self, name="sandbox", succeeded=self.cards["python"].warn
            )

    def show_draft(self, draft: Draft) -> None:
        tools = draft.assistant.tools
        for name in unknown_tools(tools):
            if name not in self.cards:
                about = translate("Tools", "This version of Satchel does not know it.")
                self._add(ToolKind(name, "plug", name, about))
        for name, card in self.cards.items():
            card.show_tool(tools.get(name))

    def _add(self, kind: ToolKind) -> None:
        card = ToolCard(self.shell, kind)
        card.changed.connect(self._edit)
        if card.field is not None:
            self.undoable(card.field)
        self.cards[kind.name] = card
        self.column.insertWidget(len(self.cards), card)

    def _edit(self, name: str, tool: Tool | None) -> None:
        if self.document is None:
            return
        tools = {key: value for key, value in self.document.draft.assistant.tools.items() if key != name}
        if tool is not None:
            tools[name] = tool
        self.document.edit(f"tools.{name}", tools=tools)
        self.cards[name].show_tool(tool)


class ToolCard(Card):
    """A tick, what the tool does and may touch, and its setting."""

    changed = Signal(str, object)
    """The tool's name, and its `Tool`; None: not ticked."""

    def __init__(self, shell: Shell, kind: ToolKind) -> None:
        super().__init__(padding=14, spacing=8)
        self._kind = kind
        self._tool: Tool | None = None
        row = QHBoxLayout()
        row.setSpacing(12)
        self.tick = Tick(shell.appearance, name=kind.title)
        self.tick.setFixedWidth(20)
        self.tick.toggled.connect(self._toggle)
        row.addWidget(self.tick, alignment=Qt.AlignmentFlag.AlignTop)
        row.addWidget(IconLabel(shell.appearance, kind.icon, "muted", 18), alignment=Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(label(kind.title, "strong"))
        words.addWidget(label(kind.does, "muted", wrap=True))
        self._touches = label("", "secondary", wrap=True)
        words.addWidget(self._touches)
        self._warning = label("", "danger", wrap=True)
        words.addWidget(self._warning)
        self._warning.hide()
        self.field: QLineEdit | None = None
        if kind.asks:
            self.field = QLineEdit()
            self.field.setPlaceholderText(kind.example)
            self._field = Field(kind.asks, self.field, hint=kind.hint)
            self.field.textEdited.connect(self._typed)
            self._field.setContentsMargins(0, 6, 0, 0)
            words.addWidget(self._field)
        self.write: Tick | None = None
        if kind.name == "files":
            self.write = Tick(shell.appearance, translate("Tools", "It may change files there"))
            self.write.toggled.connect(self._toggle_writing)
            words.addWidget(self.write)
        row.addLayout(words, 1)
        self.column.addLayout(row)

    def show_tool(self, tool: Tool | None) -> None:
        """Show how `assistant.toml` has it."""
        self._tool = tool
        for tick, on in ((self.tick, tool is not None), (self.write, tool is not None and may_write(tool))):
            if tick is not None:
                tick.blockSignals(True)
                tick.setChecked(on)
                tick.blockSignals(False)
        self._touches.setText(touches(self._kind, tool))
        if self.field is not None:
            self._field.setVisible(tool is not None)
            # What is being typed stays as it is typed, and not as its request is spelt.
            if not _says(self._kind, self.field.text(), tool):
                show_line(self.field, setting_of(self._kind, tool) if tool is not None else "")
        if self.write is not None:
            self.write.setVisible(tool is not None)

    def warn(self, why: str) -> None:
        """Say why the tool is off on this computer; empty: it is not."""
        self._warning.setText(translate("Tools", "Off on this computer: {why}.", why=why) if why else "")
        self._warning.setVisible(bool(why))

    def _toggle(self, on: bool) -> None:
        self.changed.emit(self._kind.name, made(self._kind) if on else None)

    def _toggle_writing(self, on: bool) -> None:
        if self._tool is not None:
            self.changed.emit(self._kind.name, with_writing(self._tool, allowed=on))

    def _typed(self, text: str) -> None:
        try:
            tool = made(self._kind, text, self._tool)
        except CapabilityError as error:
            self._field.complain(error.message)
            return
        self._field.complain("")
        self.changed.emit(self._kind.name, tool)


def _says(kind: ToolKind, typed: str, tool: Tool | None) -> bool:
    try:
        return tool is not None and made(kind, typed, tool) == tool
    except CapabilityError:
        return False


def _sandbox_problem(cache: Path) -> str:
    from satchel.runtime.sandbox.known import KnownSandbox

    state = KnownSandbox(cache).state()
    return "" if state.confinement is not None else state.in_words
