"""The sheet over the chat on which a person is asked: what a tool would do, or what it wants to know.

The safe answer has the focus, Enter never allows, and what allows cannot be pressed in the moment in which it appears.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from satchel.builder.chat import requests
from satchel.builder.chat.fixed_box import FixedBox
from satchel.builder.chat.requests import DENY
from satchel.builder.chat.tool_uses import wants
from satchel.builder.chat.transcript import asked_id
from satchel.builder.language import translate
from satchel.builder.theme.appearance import Appearance
from satchel.builder.widgets.avatar import Avatar
from satchel.builder.widgets.buttons import Button
from satchel.builder.widgets.chip import Chip
from satchel.builder.widgets.flow import FlowBox
from satchel.builder.widgets.labels import IconLabel, label
from satchel.runtime.session.assistant import LoadedAssistant
from satchel.runtime.session.events import ApprovalNeeded, QuestionAsked

Asked: TypeAlias = ApprovalNeeded | QuestionAsked

_CALM_MS = 400
"""A click or key that was meant for what lay there before allows nothing."""
_LEAST_CALL, _MOST_CALL = 72, 240
"""Between which heights, in pixels, the call's text begins to scroll."""
_ENTER = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})


class ConsentSheet(QScrollArea):
    """All that waits for the person, one under another."""

    decided = Signal(str, str)
    """Id, and the choice, `deny` or the words."""

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self._appearance = appearance
        self._cards: dict[str, RequestCard | QuestionCard] = {}
        self._most = 400
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(translate("Consent", "Waiting for your answer"))
        inside = QWidget()
        inside.setProperty("role", "plain")
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._for_all = Button(appearance, translate("Consent", "Don't allow any of them"), clicked=self._deny_all)
        self._column.addWidget(self._for_all, alignment=Qt.AlignmentFlag.AlignRight)
        self.setWidget(inside)
        inside.installEventFilter(self)
        self.hide()

    @property
    def cards(self) -> list[RequestCard | QuestionCard]:
        """What is asked, oldest first."""
        return list(self._cards.values())

    def show_asked(self, asked: Sequence[Asked], assistant: LoadedAssistant, picture: bytes) -> None:
        """Show what waits; a card that is there already stays as it is."""
        wanted = {asked_id(one): one for one in asked}
        for key in [key for key in self._cards if key not in wanted]:
            card = self._cards.pop(key)
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        for key in [key for key in wanted if key not in self._cards]:
            self._cards[key] = self._card(wanted[key], assistant, picture)
            self._column.insertWidget(len(self._cards) - 1, self._cards[key])
        self._for_all.setVisible(sum(isinstance(card, RequestCard) for card in self.cards) > 1)
        self.setVisible(bool(self._cards))
        self._fit()
        if self._cards and not any(_has_focus(card) for card in self.cards):
            first = self.cards[0]
            first.take_focus()
            self.ensureWidgetVisible(first.safe)

    def set_most(self, pixels: int) -> None:
        """Be at most so high."""
        self._most = pixels
        self._fit()

    def deny(self) -> bool:
        """Say "Don't allow" to the request that has the focus, else to the first; False when there is none."""
        open_ones = [card for card in self.cards if isinstance(card, RequestCard)]
        if not open_ones:
            return False
        next((card for card in open_ones if _has_focus(card)), open_ones[0]).choose(DENY)
        return True

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if watched is self.widget() and event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return False

    def event(self, event: QEvent) -> bool:
        # Esc is a shortcut of the window: here it is an answer.
        is_escape = isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape
        overrides = is_escape and event.type() == QEvent.Type.ShortcutOverride
        if overrides and any(isinstance(card, RequestCard) for card in self.cards):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Escape or not self.deny():
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:
        return QSize(400, self.height())

    def _card(self, one: Asked, assistant: LoadedAssistant, picture: bytes) -> RequestCard | QuestionCard:
        card: RequestCard | QuestionCard
        if isinstance(one, ApprovalNeeded):
            card = RequestCard(self._appearance, one, assistant, picture)
        else:
            card = QuestionCard(self._appearance, one, assistant)
        card.decided.connect(self.decided)
        return card

    def _bound(self) -> None:
        """Have a long call scroll in its box, so that the answers stay in view."""
        for card in self.cards:
            if isinstance(card, RequestCard):
                room = self._most - card.height_round_call(self.viewport().width())
                card.box.set_most(min(_MOST_CALL, max(_LEAST_CALL, room)))

    def _deny_all(self) -> None:
        for card in self.cards:
            if isinstance(card, RequestCard):
                card.choose(DENY)

    def _fit(self) -> None:
        self._bound()
        self._column.activate()
        high = self._column.totalHeightForWidth(self.viewport().width())
        height = min(self._most, high if high > 0 else self._column.totalSizeHint().height())
        if height != self.height():
            self.setFixedHeight(height)


class RequestCard(QFrame):
    """One request: who asks, what exactly, what leaves, why, and the answers."""

    decided = Signal(str, str)

    def __init__(
        self, appearance: Appearance, asked: ApprovalNeeded, assistant: LoadedAssistant, picture: bytes
    ) -> None:
        super().__init__()
        self._appearance, self._id = appearance, asked.request_id
        request = asked.request
        self.setProperty("role", "sheet")
        title = wants(str(request["tool"]), assistant.name)
        self.setAccessibleName(title)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(12)
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(Avatar(assistant.name, assistant.id, 36, picture), alignment=Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(label(title, "name", wrap=True))
        words.addWidget(label(requests.asker(assistant), "secondary", wrap=True))
        head.addLayout(words, 1)
        if "chat" not in request["choices"]:
            chip = Chip(appearance, translate("Consent", "asks each time"), icon="shield", tone="amber")
            head.addWidget(chip, alignment=Qt.AlignmentFlag.AlignTop)
        column.addLayout(head)
        call = requests.shown_call(request)
        self.box = FixedBox(appearance, call.text, translate("Consent", "The call"), marks=call.marks)
        column.addWidget(self.box)
        column.addLayout(self._facts(requests.leaving(request), amber=bool(request["destinations"])))
        for text in (requests.reason(request), requests.allowing(request)):
            if text:
                column.addLayout(self._facts(text))
        self.buttons: dict[str, Button] = {}
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._row.setSpacing(8)
        self._row.addStretch(1)
        for choice, said in requests.choices_of(request):
            self._row.addWidget(self._button(choice, said))
        column.addLayout(self._row)
        self._wide = self._row.minimumSize().width() + 40
        QTimer.singleShot(_CALM_MS, self, self._allow_allowing)

    @property
    def safe(self) -> QWidget:
        """The button that allows nothing."""
        return self.buttons[DENY]

    def height_round_call(self, width: int) -> int:
        """Return how high the card is at a width without the text of the call."""
        layout = self.layout()
        assert layout is not None  # made with the card
        layout.activate()
        return layout.totalHeightForWidth(width) - self.box.field.height()

    def choose(self, choice: str) -> None:
        """Answer; a second answer counts for nothing."""
        if self.isEnabled():
            self.setEnabled(False)
            self.decided.emit(self._id, choice)

    def take_focus(self) -> None:
        """Give the focus to the safe answer."""
        self.safe.setFocus(Qt.FocusReason.OtherFocusReason)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < self._wide
        direction = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        if self._row.direction() != direction:
            self._row.setDirection(direction)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, super().minimumSizeHint().height())

    def _facts(self, text: str, *, amber: bool = False) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(10)
        icon = IconLabel(self._appearance, "circle-alert" if amber else "info", "amber" if amber else "muted")
        row.addWidget(icon, alignment=Qt.AlignmentFlag.AlignTop)
        row.addWidget(label(text, wrap=True, selectable=True), 1)
        return row

    def _button(self, choice: str, said: str) -> Button:
        made = _Choice(self._appearance, said, role="primary" if choice == DENY else "")
        made.clicked.connect(lambda _checked=False: self.choose(choice))
        made.setEnabled(choice == DENY)
        self.buttons[choice] = made
        return made

    def _allow_allowing(self) -> None:
        for button in self.buttons.values():
            button.setEnabled(True)


class QuestionCard(QFrame):
    """A question of a tool: its choices as buttons, else a field."""

    decided = Signal(str, str)

    def __init__(self, appearance: Appearance, asked: QuestionAsked, assistant: LoadedAssistant) -> None:
        super().__init__()
        self._id = asked.question_id
        self.setProperty("role", "sheet")
        self.setAccessibleName(asked.question)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(12)
        column.addWidget(label(translate("Consent", "{name} asks", name=assistant.name), "secondary"))
        column.addWidget(label(asked.question, "strong", wrap=True, selectable=True))
        if asked.choices:
            flow = FlowBox()
            for text in asked.choices:
                choice = _Choice(appearance, text)
                choice.clicked.connect(lambda _checked=False, said=text: self._say(said))
                flow.add(choice)
            self.safe: QWidget = flow.widgets[0]
            column.addWidget(flow)
        else:
            row = QHBoxLayout()
            row.setSpacing(8)
            field = QLineEdit()
            field.setAccessibleName(translate("Consent", "Your answer"))
            field.returnPressed.connect(lambda: self._say(field.text().strip()))
            row.addWidget(field, 1)
            answer = Button(appearance, translate("Consent", "Answer"), role="primary")
            answer.clicked.connect(lambda _checked=False: self._say(field.text().strip()))
            row.addWidget(answer)
            self.safe = field
            column.addLayout(row)

    def take_focus(self) -> None:
        """Be ready for an answer."""
        self.safe.setFocus(Qt.FocusReason.OtherFocusReason)

    def _say(self, text: str) -> None:
        if text and self.isEnabled():
            self.setEnabled(False)
            self.decided.emit(self._id, text)


class _Choice(Button):
    """A button that Enter does not press, whatever the platform says."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() not in _ENTER:
            super().keyPressEvent(event)


def _has_focus(card: QWidget) -> bool:
    focused = QApplication.focusWidget()
    return focused is not None and card.isAncestorOf(focused)
