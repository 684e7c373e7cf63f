"""The rows of a chat: a question of one's own, an answer, the greeting with its starters."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QFontMetrics, QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from satchel.builder.chat.answer_body import AnswerBody, quote_of
from satchel.builder.chat.artefacts import Artefacts
from satchel.builder.chat.groundedness import GroundednessBar, SentenceList, sentences
from satchel.builder.chat.prose import Prose
from satchel.builder.chat.tool_card import ToolCard
from satchel.builder.chat.transcript import Entry, footer, place_of, span_in
from satchel.builder.language import translate
from satchel.builder.operations import Step
from satchel.builder.states import words_of
from satchel.builder.theme.appearance import Appearance
from satchel.builder.widgets.avatar import Avatar
from satchel.builder.widgets.banner import Banner
from satchel.builder.widgets.buttons import Button, IconButton
from satchel.builder.widgets.flow import FlowBox
from satchel.builder.widgets.labels import label
from satchel.runtime.session.assistant import LoadedAssistant
from satchel.runtime.session.events import Progress, Source

_MOST_CHIPS = 8
_BUBBLE_PADDING = 12


class BranchSwitch(QWidget):
    """2 of 3, between two arrows: which of the versions of a message is shown."""

    wanted = Signal(str)
    """The id of another version."""

    def __init__(self, appearance: Appearance, entry: Entry) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        at, count = entry.branch, len(entry.branches)
        self.before = IconButton(appearance, "chevron-left", translate("Chat", "Earlier version"), size=14)
        self.before.setEnabled(at > 1)
        self.before.clicked.connect(lambda: self.wanted.emit(entry.branches[at - 2]))
        self.after = IconButton(appearance, "chevron-right", translate("Chat", "Later version"), size=14)
        self.after.setEnabled(at < count)
        self.after.clicked.connect(lambda: self.wanted.emit(entry.branches[at]))
        row.addWidget(self.before)
        row.addWidget(label(f"{at}/{count}", "secondary"))
        row.addWidget(self.after)


class QuestionRow(QWidget):
    """What the person said, at the right; the pencil turns it into an editor."""

    edited = Signal(str, str)
    """Id and the new text."""
    branch_wanted = Signal(str)

    def __init__(self, appearance: Appearance, entry: Entry, column_width: int) -> None:
        super().__init__()
        self._appearance, self._entry = appearance, entry
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 6, 0, 0)
        self._column.setSpacing(2)
        self._line = QHBoxLayout()
        self._line.setSpacing(4)
        self._line.addStretch(1)
        if len(entry.branches) > 1:
            switch = BranchSwitch(appearance, entry)
            switch.wanted.connect(self.branch_wanted)
            self._line.addWidget(switch, alignment=Qt.AlignmentFlag.AlignVCenter)
        self.pencil = IconButton(appearance, "pencil", translate("Chat", "Edit and send again"), size=14)
        self.pencil.clicked.connect(self.edit)
        self._line.addWidget(self.pencil, alignment=Qt.AlignmentFlag.AlignVCenter)
        self._bubble = QFrame()
        self._bubble.setProperty("role", "own")
        inside = QVBoxLayout(self._bubble)
        inside.setContentsMargins(_BUBBLE_PADDING, 8, _BUBBLE_PADDING, 8)
        words = label(entry.text, wrap=True, selectable=True)
        words.setAccessibleName(translate("Chat", "You: {text}", text=entry.text))
        longest = max(QFontMetrics(words.font()).horizontalAdvance(line) for line in (entry.text or " ").split("\n"))
        width = min(longest + 4, round(column_width * 0.8) - 2 * _BUBBLE_PADDING)
        words.setFixedWidth(width)
        words.setFixedHeight(words.heightForWidth(width))
        inside.addWidget(words)
        self._bubble.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._line.addWidget(self._bubble)
        self._column.addLayout(self._line)
        self.pencil.setVisible(bool(entry.id))  # not before it has a parent: it would be a window of its own
        self.editor: _QuestionEditor | None = None

    def edit(self) -> None:
        """Turn into an editor; Esc or "Cancel" gives it up."""
        if self.editor is not None:
            return
        for number in range(self._line.count()):
            item = self._line.itemAt(number)
            if item is not None and (widget := item.widget()) is not None:
                widget.hide()
        self.editor = _QuestionEditor(self._appearance, self._entry.text)
        self.editor.sent.connect(self._send)
        self.editor.given_up.connect(self._give_up)
        self._column.addWidget(self.editor)
        self.editor.field.setFocus()

    def _send(self, text: str) -> None:
        self._give_up()
        self.edited.emit(self._entry.id, text)

    def _give_up(self) -> None:
        if self.editor is not None:
            self._column.removeWidget(self.editor)
            self.editor.hide()
            self.editor.deleteLater()
            self.editor = None
        for number in range(self._line.count()):
            item = self._line.itemAt(number)
            if item is not None and (widget := item.widget()) is not None:
                widget.show()


class _QuestionEditor(QWidget):
    sent = Signal(str)
    given_up = Signal()

    def __init__(self, appearance: Appearance, text: str) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        self.field = QPlainTextEdit(text)
        self.field.setAccessibleName(translate("Chat", "Your question"))
        lines = min(10, max(2, text.count("\n") + 1 + len(text) // 90))
        self.field.setFixedHeight(lines * self.field.fontMetrics().lineSpacing() + 24)
        column.addWidget(self.field)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(
            label(translate("Chat", "The earlier question and its answer stay as another version."), "secondary")
        )
        row.addStretch(1)
        row.addWidget(Button(appearance, translate("Chat", "Cancel"), clicked=self.given_up.emit))
        self.send = Button(appearance, translate("Chat", "Send again"), role="primary", clicked=self._send)
        row.addWidget(self.send)
        column.addLayout(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.given_up.emit()
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._send()
        else:
            super().keyPressEvent(event)

    def _send(self) -> None:
        if text := self.field.toPlainText().strip():
            self.sent.emit(text)


class AnswerRow(QWidget):
    """What the assistant said: the text, its sources, how it came about, and what can be done with it."""

    source_opened = Signal(object)
    """A `Source`."""
    link_clicked = Signal(str)
    again = Signal(str)
    branch_wanted = Signal(str)

    def __init__(
        self,
        appearance: Appearance,
        entry: Entry,
        step: Progress | None = None,
        artefacts: Artefacts | None = None,
    ) -> None:
        super().__init__()
        self._appearance, self._artefacts = appearance, artefacts
        self.entry = entry
        self.cards: list[ToolCard] = []
        self.sentences: SentenceList | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self.body = AnswerBody(appearance)
        self.body.source_clicked.connect(self._open_number)
        self.body.link_clicked.connect(self.link_clicked)
        self._tools = QVBoxLayout()
        self._tools.setSpacing(8)
        self._column.addLayout(self._tools)
        self._waiting = label("", "muted")
        self._column.addWidget(self._waiting)
        self._column.addWidget(self.body)
        self._below = QVBoxLayout()
        self._below.setSpacing(8)
        self._column.addLayout(self._below)
        self.show_entry(entry, step)

    def show_entry(self, entry: Entry, step: Progress | None) -> None:
        """Show the answer as it is now; while no word has come, what is being done."""
        self.entry = entry
        self._show_tools()
        self.body.setVisible(bool(entry.text))
        self.body.show_text(entry.text, entry.sources if not entry.quoted else ())
        self.setAccessibleName(translate("Chat", "Answer: {text}", text=entry.text))
        self._waiting.setVisible(entry.live and not entry.text)
        if entry.live and not entry.text:
            self._waiting.setText(_waiting_words(step, entry))
        if not entry.live:
            self._show_end()

    def _show_tools(self) -> None:
        for number, use in enumerate(self.entry.uses):
            if number < len(self.cards):
                self.cards[number].show_use(use)
            else:
                card = ToolCard(self._appearance, use, self._artefacts)
                self.cards.append(card)
                self._tools.addWidget(card)

    def _toggle_sentences(self) -> None:
        """Show what was found of each sentence, or hide it."""
        if self.sentences is not None:
            self._below.removeWidget(self.sentences)
            self.sentences.hide()
            self.sentences.deleteLater()
            self.sentences = None
            return
        entry = self.entry
        self.sentences = SentenceList(self._appearance, sentences(entry.text, entry.checks, entry.shown))
        self._below.addWidget(self.sentences)

    def _show_end(self) -> None:
        while (item := self._below.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.sentences = None
        entry = self.entry
        for warning in entry.warnings:
            self._below.addWidget(Banner(self._appearance, warning, tone="quiet"))
        if entry.quoted:
            self._below.addWidget(self._quotation(entry.sources[0]))
        if entry.sources:
            self._below.addWidget(self._chips())
        self._below.addWidget(self._foot())

    def _quotation(self, source: Source) -> QWidget:
        """Show the sentence that was quoted from, with the answer in it marked."""
        frame = QFrame()
        frame.setProperty("role", "code")
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(12, 8, 12, 8)
        words = Prose(self._appearance)
        words.set_plain(f"“{source.text}”", _shifted(span_in(source, self.entry.text), 1))
        words.setAccessibleName(quote_of(source))
        inside.addWidget(words)
        return frame

    def _chips(self) -> QWidget:
        flow = FlowBox(spacing=6)
        for source in self.entry.sources[:_MOST_CHIPS]:
            chip = Button(
                self._appearance,
                f"{source.n}  {place_of(source)}",
                role="chip",
                icon="file-text",
                colour="accent",
                tone="accent",
                tip=quote_of(source),
            )
            chip.clicked.connect(lambda _checked=False, of=source: self.source_opened.emit(of))
            flow.add(chip)
        return flow

    def _foot(self) -> QWidget:
        place = QWidget()
        row = QHBoxLayout(place)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        if self.entry.checks:
            self.bar = GroundednessBar(self._appearance, self.entry.checks)
            self.bar.wanted.connect(self._toggle_sentences)
            row.addWidget(self.bar)
            row.addSpacing(4)
        said = footer(self.entry)
        row.addWidget(label(f"·  {said}" if said and self.entry.checks else said, "secondary"))
        row.addStretch(1)
        if len(self.entry.branches) > 1:
            switch = BranchSwitch(self._appearance, self.entry)
            switch.wanted.connect(self.branch_wanted)
            row.addWidget(switch)
        self.copy = IconButton(self._appearance, "copy", translate("Chat", "Copy the answer"), clicked=self._copy)
        row.addWidget(self.copy)
        if self.entry.id:
            again = IconButton(self._appearance, "refresh-cw", translate("Chat", "Answer again"))
            again.clicked.connect(lambda: self.again.emit(self.entry.id))
            row.addWidget(again)
        return place

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.entry.text)
        self.copy.set_icon("check", translate("Chat", "Copied"), "accent")
        copy = self.copy
        QTimer.singleShot(1500, copy, lambda: copy.set_icon("copy", translate("Chat", "Copy the answer"), "muted"))

    def _open_number(self, number: int) -> None:
        for source in self.entry.sources:
            if source.n == number:
                self.source_opened.emit(source)
                return


class GreetingRow(QWidget):
    """An empty chat: the greeting, and questions to start with."""

    starter_chosen = Signal(str)

    def __init__(self, appearance: Appearance, assistant: LoadedAssistant, picture: bytes, *, starters: bool) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 6, 0, 0)
        column.setSpacing(14)
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(Avatar(assistant.name, assistant.id, 28, picture), alignment=Qt.AlignmentFlag.AlignTop)
        hello = assistant.greeting or translate("Chat", "Ask {name} something.", name=assistant.name)
        words = label(hello, wrap=True, selectable=True)
        words.setMinimumHeight(28)
        words.setAlignment(Qt.AlignmentFlag.AlignVCenter)
        head.addWidget(words, 1)
        column.addLayout(head)
        if starters and assistant.starters:
            flow = FlowBox(spacing=8)
            for starter in assistant.starters:
                chip = Button(appearance, starter, role="chip")
                chip.clicked.connect(lambda _checked=False, text=starter: self.starter_chosen.emit(text))
                flow.add(chip)
            column.addWidget(flow)


def estimate_height(entry: Entry, width: int) -> int:
    """Return about how high an entry will be: by its characters, before any widget is made."""
    per_line = max(20, width // 7)
    lines = sum(1 + len(line) // per_line for line in entry.text.split("\n"))
    if entry.role == "user":
        return 24 + 16 * max(1, lines)
    extra = 28 + (30 if entry.sources else 0) + (60 if entry.quoted else 0) + 48 * len(entry.uses)
    return extra + 21 * lines


def _waiting_words(step: Progress | None, entry: Entry) -> str:
    if any(use.state == "asks" for use in entry.uses):
        return translate("Chat", "Waiting for your answer …")
    if entry.thinking:
        return translate("Chat", "Thinking …")
    if step is None:
        return translate("Chat", "Starting …")
    total = step.total if step.total and step.total > 1 else None
    return words_of(Step(step.stage, step.done, total, step.seconds_left)) + ("" if total else " …")


def _shifted(span: tuple[int, int] | None, by: int) -> tuple[int, int] | None:
    return (span[0] + by, span[1] + by) if span is not None else None
