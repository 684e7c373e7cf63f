"""Markdown as a person reads it. It loads nothing from disk or network, and follows no link by itself."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, QUrl, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QHelpEvent,
    QImage,
    QResizeEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFrameFormat,
    QTextLength,
    QTextTable,
    QTextTableFormat,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextBrowser, QToolTip

from satchel.builder.chat.markdown import SOURCE_SCHEME
from satchel.builder.theme.appearance import Appearance
from satchel.builder.theme.tokens import BODY, LINE_HEIGHT
from satchel.builder.widgets.labels import plain_tip

_CHIP_PIXELS = 11
_QUOTE_INDENT = 16
_HEADINGS = {1: 18, 2: 16, 3: 15}


class InertDocument(QTextDocument):
    """Serves no resource: Qt's own would read `file:` and `//host` addresses by itself (tried, 6.8)."""

    def loadResource(self, kind: int, _address: QUrl | str) -> Any:
        if kind == QTextDocument.ResourceType.ImageResource.value:
            return QImage(1, 1, QImage.Format.Format_ARGB32)
        return b" "  # not empty: Qt takes nothing for "look on the disk"


class Prose(QTextBrowser):
    """Text as high as it needs to be; `source_hovered` asks for the quote of a mark, `source_clicked` opens it."""

    source_clicked = Signal(int)
    link_clicked = Signal(str)

    def __init__(self, appearance: Appearance, *, wraps: bool = True) -> None:
        super().__init__()
        self._appearance = appearance
        self._markdown = ""
        self._wraps = wraps
        self.quotes: dict[int, str] = {}
        """What a mark shows when the pointer rests on it."""
        self.setDocument(InertDocument(self))
        self.document().setDocumentMargin(0)
        self.setProperty("role", "bare")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        if wraps:
            self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        else:
            self.setLineWrapMode(QTextBrowser.LineWrapMode.NoWrap)
        self.viewport().setAutoFillBackground(False)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.anchorClicked.connect(self._clicked)
        appearance.changed.connect(self._restyle)

    def set_markdown(self, markdown: str) -> None:
        """Show a text; one that it shows already costs nothing."""
        if markdown != self._markdown:
            self._markdown = markdown
            self._restyle()

    def set_plain(self, text: str, marked: tuple[int, int] | None = None) -> None:
        """Show a text as it is, with a span of it marked."""
        self._markdown = ""
        self.document().setDefaultFont(self.font())
        self.setPlainText(text)
        self._space_lines(plain=True)
        if marked is not None:
            cursor = QTextCursor(self.document())
            cursor.setPosition(marked[0])
            cursor.setPosition(marked[1], QTextCursor.MoveMode.KeepAnchor)
            look = QTextCharFormat()
            look.setBackground(self._appearance.colour("mark"))
            look.setForeground(self._appearance.colour("text"))
            cursor.mergeCharFormat(look)
        self.updateGeometry()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        document = self.document()
        if self._wraps:
            document.setTextWidth(width)
            return round(document.size().height() + 0.49)
        high = document.size().height()
        bar = self.horizontalScrollBar().sizeHint().height() if document.idealWidth() > width else 0
        return round(high + bar + 0.49)

    def sizeHint(self) -> QSize:
        width = self.width() if self.width() > 0 else 600
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        return QSize(40, BODY)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()

    def wheelEvent(self, event: QWheelEvent) -> None:
        # A table scrolls sideways; everything else is the chat's.
        if not self._wraps and event.angleDelta().x():
            super().wheelEvent(event)
        else:
            event.ignore()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._show_quote(self.viewport().mapFrom(self, event.pos()), event.globalPos())
            return True
        return super().event(event)

    def _show_quote(self, at: QPoint, place: QPoint) -> None:
        number = _source_number(self.anchorAt(at))
        if number is not None and (quote := self.quotes.get(number)):
            QToolTip.showText(place, plain_tip(quote), self)
        else:
            QToolTip.hideText()

    def _clicked(self, address: QUrl) -> None:
        text = address.toString()
        number = _source_number(text)
        if number is not None:
            self.source_clicked.emit(number)
        else:
            self.link_clicked.emit(text)

    def _restyle(self) -> None:
        if not self._markdown:
            return
        document = self.document()
        document.setDefaultFont(self.font())
        document.setMarkdown(
            self._markdown,
            QTextDocument.MarkdownFeature.MarkdownDialectGitHub | QTextDocument.MarkdownFeature.MarkdownNoHTML,
        )
        self._space_lines()
        self._dress_words()
        for frame in document.rootFrame().childFrames():
            if isinstance(frame, QTextTable):
                self._dress_table(frame)
        # Where the cursor is, Qt scrolls to: a wide table would begin at its end.
        self.moveCursor(QTextCursor.MoveOperation.Start)
        self.updateGeometry()

    def _space_lines(self, *, plain: bool = False) -> None:
        cursor = QTextCursor(self.document())
        block = self.document().begin()
        while block.isValid():
            look = QTextBlockFormat(block.blockFormat())
            look.setLineHeight(100 * LINE_HEIGHT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
            cursor.setPosition(block.position())
            if plain or not block.next().isValid() or cursor.currentTable() is not None:
                below = 0
            else:
                below = 3 if block.textList() is not None else 9
            look.setTopMargin(10 if look.headingLevel() and block.position() else 0)
            look.setBottomMargin(below)
            if look.intProperty(QTextBlockFormat.Property.BlockQuoteLevel):
                look.setLeftMargin(_QUOTE_INDENT)
                look.setRightMargin(0)
            cursor.setBlockFormat(look)
            block = block.next()

    def _dress_words(self) -> None:
        """Give headings our sizes, marks their chip, code its grey, links the accent without a line."""
        cursor = QTextCursor(self.document())
        block = self.document().begin()
        while block.isValid():
            level = block.blockFormat().headingLevel()
            quoted = block.blockFormat().intProperty(QTextBlockFormat.Property.BlockQuoteLevel) > 0
            for place, length, look in _fragments(block):
                changed = QTextCharFormat()
                if quoted:
                    changed.setForeground(self._appearance.colour("muted"))
                if level:
                    # Its own step in size goes last in Qt's order, and would win.
                    look.clearProperty(QTextCharFormat.Property.FontSizeAdjustment)
                    changed.setProperty(QTextCharFormat.Property.FontPixelSize, _HEADINGS.get(level, BODY + 1))
                    changed.setFontWeight(QFont.Weight.DemiBold)
                if look.isAnchor():
                    changed.setForeground(self._appearance.colour("accent"))
                    changed.setFontUnderline(False)
                    if _source_number(look.anchorHref()) is not None:
                        changed.setBackground(self._appearance.colour("soft_accent"))
                        changed.setFontWeight(QFont.Weight.DemiBold)
                        changed.setProperty(QTextCharFormat.Property.FontPixelSize, _CHIP_PIXELS)
                elif look.fontFixedPitch():
                    changed.setBackground(self._appearance.colour("sunken"))
                if changed.propertyCount():
                    cursor.setPosition(place)
                    cursor.setPosition(place + length, QTextCursor.MoveMode.KeepAnchor)
                    look.merge(changed)
                    cursor.setCharFormat(look)
            block = block.next()

    def _dress_table(self, table: QTextTable) -> None:
        look = QTextTableFormat()
        look.setBorder(1)
        look.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        look.setBorderBrush(QColor(self._appearance.colour("line")))
        look.setBorderCollapse(True)
        look.setCellPadding(6)
        look.setCellSpacing(0)
        look.setHeaderRowCount(1)
        look.setMargin(0)
        look.setWidth(QTextLength())
        table.setFormat(look)
        heading = QTextCharFormat()
        heading.setFontWeight(QFont.Weight.DemiBold)
        heading.setBackground(self._appearance.colour("sunken"))
        for column in range(table.columns()):
            cell = table.cellAt(0, column)
            cell.setFormat(heading)
            cursor = cell.firstCursorPosition()
            cursor.setPosition(cell.lastCursorPosition().position(), QTextCursor.MoveMode.KeepAnchor)
            cursor.mergeCharFormat(heading)


def _fragments(block: Any) -> list[tuple[int, int, QTextCharFormat]]:
    """Return the pieces of one look in a block: where, how long, which. Taken before any is changed."""
    found = []
    pieces = block.begin()
    while not pieces.atEnd():
        piece = pieces.fragment()
        if piece.isValid():
            found.append((piece.position(), piece.length(), QTextCharFormat(piece.charFormat())))
        pieces += 1
    return found


def _source_number(address: str) -> int | None:
    number = address.removeprefix(SOURCE_SCHEME)
    return int(number) if number != address and number.isdecimal() else None
