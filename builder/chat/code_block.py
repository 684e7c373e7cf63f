"""A block of code: its language, a copy button, and lines that wrap."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import (
    QFont,
    QFontDatabase,
    QGuiApplication,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextDocument,
    QTextOption,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from satchel.builder.chat.highlighting import Kind, spans
from satchel.builder.chat.prose import Prose
from satchel.builder.language import translate
from satchel.builder.theme.appearance import Appearance
from satchel.builder.theme.tokens import SECONDARY, ColourName
from satchel.builder.widgets.buttons import IconButton
from satchel.builder.widgets.labels import label

_COPIED_MS = 1500
_INKS: dict[Kind, ColourName] = {"comment": "muted", "text": "amber", "number": "amber", "keyword": "accent"}


class CodeBlock(QFrame):
    """Shows code; `set_code` may come many times while it arrives."""

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self.setProperty("role", "code")
        self.code = ""
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 4, 6, 10)
        column.setSpacing(2)
        head = QHBoxLayout()
        self._language = label("", "secondary")
        head.addWidget(self._language)
        head.addStretch(1)
        self.copy = IconButton(appearance, "copy", translate("Chat", "Copy code"), clicked=self._copy)
        head.addWidget(self.copy)
        column.addLayout(head)
        self._text = Prose(appearance)
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPixelSize(SECONDARY)
        self._text.setFont(font)
        self._text.setAccessibleName(translate("Chat", "Code"))
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self._text.document().setDefaultTextOption(option)
        self._colours = _Highlighter(appearance, self._text.document())
        column.addWidget(self._text)
        self._back = QTimer(self)
        self._back.setSingleShot(True)
        self._back.setInterval(_COPIED_MS)
        self._back.timeout.connect(self._not_copied)

    def set_code(self, code: str, language: str) -> None:
        """Show code; one that it shows already costs nothing."""
        if language != self._colours.language:
            self._colours.language = language
            self._language.setText(language)
            self._colours.rehighlight()
        if code != self.code:
            self.code = code
            self._text.set_plain(code)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.code)
        self.copy.set_icon("check", translate("Chat", "Copied"), "accent")
        self._back.start()

    def _not_copied(self) -> None:
        self.copy.set_icon("copy", translate("Chat", "Copy code"), "muted")


class _Highlighter(QSyntaxHighlighter):
    def __init__(self, appearance: Appearance, document: QTextDocument) -> None:
        super().__init__(document)
        self._appearance = appearance
        self.language = ""
        appearance.changed.connect(self.rehighlight)

    def highlightBlock(self, text: str) -> None:
        for start, length, kind in spans(text, self.language):
            look = QTextCharFormat()
            look.setForeground(self._appearance.colour(_INKS[kind]))
            if kind == "keyword":
                look.setFontWeight(QFont.Weight.DemiBold)
            self.setFormat(start, length, look)
