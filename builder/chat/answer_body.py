"""An answer's text as widgets: prose, code and tables one under another, kept while the text grows."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from satchel.builder.chat.code_block import CodeBlock
from satchel.builder.chat.markdown import Block, split_blocks, with_marks
from satchel.builder.chat.prose import Prose
from satchel.builder.chat.transcript import place_of
from satchel.builder.theme.appearance import Appearance
from satchel.runtime.session.events import Source

_QUOTE_CHARACTERS = 400


class AnswerBody(QWidget):
    """Shows Markdown; `show_text` may come thirty times a second."""

    source_clicked = Signal(int)
    link_clicked = Signal(str)

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self._appearance = appearance
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(10)
        self._shown: list[tuple[str, QWidget]] = []
        self._blocks: list[Block] = []
        self._numbers: set[int] = set()

    def show_text(self, markdown: str, sources: Sequence[Source]) -> None:
        """Show a text; the widgets of pieces that did not change stay as they are."""
        numbers = {source.n for source in sources}
        quotes = {source.n: quote_of(source) for source in sources}
        blocks = split_blocks(markdown)
        if numbers != self._numbers:
            self._numbers, self._blocks = numbers, []
        for number, block in enumerate(blocks):
            if number < len(self._blocks) and self._blocks[number] == block:
                continue
            widget = self._widget(number, block.kind)
            if isinstance(widget, CodeBlock):
                widget.set_code(block.text, block.language)
            elif isinstance(widget, Prose):
                widget.quotes = quotes
                widget.set_markdown(with_marks(block.text, numbers))
        self._blocks = blocks
        while len(self._shown) > len(blocks):
            _, widget = self._shown.pop()
            self._column.removeWidget(widget)
            widget.hide()
            widget.deleteLater()

    def _widget(self, number: int, kind: str) -> QWidget:
        """Return the widget for a piece: the one that stands there, when it is of the right kind."""
        if number < len(self._shown):
            known, widget = self._shown[number]
            if known == kind:
                return widget
            self._column.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
            made = self._new(kind)
            self._shown[number] = (kind, made)
            self._column.insertWidget(number, made)
            return made
        made = self._new(kind)
        self._shown.append((kind, made))
        self._column.addWidget(made)
        return made

    def _new(self, kind: str) -> QWidget:
        if kind == "code":
            return CodeBlock(self._appearance)
        prose = Prose(self._appearance, wraps=kind != "table")
        prose.source_clicked.connect(self.source_clicked)
        prose.link_clicked.connect(self.link_clicked)
        return prose


def quote_of(source: Source) -> str:
    """Return what a source's mark shows: its words and where they stand."""
    words = " ".join(source.text.split())
    if len(words) > _QUOTE_CHARACTERS:
        words = words[: _QUOTE_CHARACTERS - 1].rstrip() + "…"
    return f"“{words}”\n{place_of(source)}"
