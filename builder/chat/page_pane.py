"""The page that a citation names, beside the chat: a PDF's picture with the lines marked, or the text."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from satchel.builder.chat.pages_aside import PagesAside
from satchel.builder.chat.prose import Prose
from satchel.builder.language import translate
from satchel.builder.operations import Failure
from satchel.builder.shell import Shell
from satchel.builder.states import States
from satchel.builder.theme.tokens import PAPER, PAPER_MARK
from satchel.builder.widgets.banner import Banner
from satchel.builder.widgets.buttons import IconButton
from satchel.builder.widgets.card import Card
from satchel.builder.widgets.labels import ElidedLabel, IconLabel, label
from satchel.runtime.commands.show_page import PageRequest, Picture, ShownPage
from satchel.runtime.packfile.verified import VerifiedPack
from satchel.runtime.session.events import Source

_PICTURE_WIDTH = 900
"""Pixels: sharp at twice the pane's width, and quick to draw."""
_ABOVE_MARK = 120


class PagePane(QWidget):
    """Reads pages in a process of its own; `close_down` ends it."""

    closed = Signal()

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self._shell = shell
        self._aside: PagesAside | None = None
        self._shown: ShownPage | None = None
        self._source: Source | None = None
        self._asked = 0
        self.setProperty("role", "side")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._head())
        self._body = QScrollArea()
        self._body.setWidgetResizable(True)
        self._body.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._body.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.states = States(shell.appearance, self._body)
        column.addWidget(self.states, 1)

    def follow(self, verified: VerifiedPack | None, folder: Path | None) -> None:
        """Show pages of these files from now on."""
        self.close_down()
        self._aside = PagesAside(self._shell.home, verified, folder) if verified is not None else None

    def show_source(self, source: Source) -> None:
        """Open the page of a source, with its lines marked."""
        self._source = source
        self._file.set_text(source.file.rpartition("/")[2])
        self._ask(PageRequest(source.file, source.page, source.start, source.end, _PICTURE_WIDTH))

    def turn(self, by: int) -> None:
        """Go to the next page, or the one before."""
        shown = self._shown
        if shown is not None and shown.page is not None and 1 <= shown.page + by <= shown.pages:
            source = self._source
            start, end = (source.start, source.end) if source is not None and source.file == shown.file else (0, 0)
            self._ask(PageRequest(shown.file, shown.page + by, start, end, _PICTURE_WIDTH))

    @property
    def page(self) -> ShownPage | None:
        """What is shown."""
        return self._shown

    def close_down(self) -> None:
        """End the process that reads pages."""
        if self._aside is not None:
            aside, self._aside = self._aside, None
            # Ending a process takes a moment.
            self._shell.operations.run(lambda _task: aside.close(), owner=self, name="close pages")

    def _ask(self, request: PageRequest) -> None:
        if (aside := self._aside) is None:
            return
        self._asked += 1
        asked = self._asked
        self.states.show_loading()

        def show(page: ShownPage) -> None:
            if asked == self._asked:
                self._show(page, request)

        def failed(failure: Failure) -> None:
            if asked == self._asked:
                self.states.show_failed(failure, lambda: self._ask(request))

        self._shell.operations.run(
            lambda _task: aside.show(request), owner=self, name="page", succeeded=show, failed=failed
        )

    def _show(self, page: ShownPage, request: PageRequest) -> None:
        self._shown = page
        if page.page is not None:
            number = page.page_label or str(page.page)
            self._number.setText(translate("Page", "page {n} of {m}", n=number, m=page.pages))
        else:
            self._number.setText("")
        for button, by in ((self.before, -1), (self.after, 1)):
            button.setVisible(page.page is not None)
            button.setEnabled(page.page is not None and 1 <= page.page + by <= page.pages)
        # A card of its own each time, so that nothing of the page before is left in it.
        place = QWidget()
        place.setProperty("role", "plain")
        column = QVBoxLayout(place)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        if page.no_picture:
            column.addWidget(Banner(self._shell.appearance, page.no_picture, tone="quiet"))
        if page.picture is not None:
            picture = PagePaper(page.picture)
            picture.setAccessibleName(page.text)
            column.addWidget(picture)
            column.addStretch(1)
            self._body.setWidget(place)
            self.states.show_full()
            QTimer.singleShot(0, picture, lambda: self._scroll_to(picture.first_mark()))
            return
        start, end = request.start - page.start, request.end - page.start
        card = Card(padding=20)
        text = Prose(self._shell.appearance)
        text.set_plain(page.text, (start, end) if 0 <= start < end <= len(page.text) else None)
        card.column.addWidget(text)
        column.addWidget(card)
        column.addStretch(1)
        self._body.setWidget(place)
        self.states.show_full()
        if 0 <= start < len(page.text):
            QTimer.singleShot(0, text, lambda: self._scroll_to(_top_of(text, start)))

    def _scroll_to(self, y: float | None) -> None:
        if y is not None:
            self._body.verticalScrollBar().setValue(max(0, round(y) - _ABOVE_MARK))

    def _head(self) -> QWidget:
        appearance = self._shell.appearance
        bar = QWidget()
        bar.setProperty("role", "bar")
        bar.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        bar.setFixedHeight(57)
        row = QHBoxLayout(bar)
        row.setContentsMargins(16, 0, 12, 0)
        row.setSpacing(8)
        row.addWidget(IconLabel(appearance, "book-open"))
        self._file = ElidedLabel("", "strong")
        row.addWidget(self._file, 1)
        self._number = label("", "secondary")
        row.addWidget(self._number)
        self.before = IconButton(
            appearance, "chevron-left", translate("Page", "Page before"), clicked=lambda: self.turn(-1)
        )
        self.after = IconButton(
            appearance, "chevron-right", translate("Page", "Next page"), clicked=lambda: self.turn(1)
        )
        row.addWidget(self.before)
        row.addWidget(self.after)
        row.addWidget(
            IconButton(appearance, "x", translate("Page", "Close the page"), shortcut="Esc", clicked=self.closed.emit)
        )
        return bar


class PagePaper(QWidget):
    """A PDF's page: paper in light and dark, its marks like a felt pen's."""

    def __init__(self, picture: Picture) -> None:
        super().__init__()
        self._pixels = picture.pixels  # QImage does not keep them
        self._image = QImage(
            self._pixels, picture.width, picture.height, picture.width * 3, QImage.Format.Format_RGB888
        )
        self._marks = [QRectF(mark.left, mark.top, mark.width, mark.height) for mark in picture.marks]
        policy = self.sizePolicy()
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    @property
    def marks(self) -> list[QRectF]:
        """The marked lines, in pixels of the picture."""
        return self._marks

    def first_mark(self) -> float | None:
        """Return how far down the first mark is, as the page is shown now."""
        return self._marks[0].top() * self._scale() if self._marks else None

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return round(width * self._image.height() / max(1, self._image.width()))

    def sizeHint(self) -> QSize:
        width = self.width() if self.width() > 100 else 400
        return QSize(width, self.heightForWidth(width))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        scale = self._scale()
        target = QRectF(0, 0, self.width(), self._image.height() * scale)
        painter.fillRect(target, QColor(PAPER))
        painter.drawImage(target, self._image)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Multiply)
        for mark in self._marks:
            box = QRectF(mark.left() * scale, mark.top() * scale, mark.width() * scale, mark.height() * scale)
            painter.fillRect(box.adjusted(-2, -2, 2, 2), QColor(PAPER_MARK))

    def _scale(self) -> float:
        return self.width() / max(1, self._image.width())


def _top_of(text: Prose, position: int) -> float:
    block = text.document().findBlock(position)
    return text.document().documentLayout().blockBoundingRect(block).top()
