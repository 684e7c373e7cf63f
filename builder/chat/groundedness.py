"""The bar under a language model's answer: how many of its sentences the files hold, and which they do not."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QRectF, QSize, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from satchel.builder.chat.transcript import place_of
from satchel.builder.language import translate
from satchel.builder.theme.appearance import Appearance
from satchel.builder.theme.tokens import ColourName
from satchel.builder.widgets.buttons import Button
from satchel.builder.widgets.labels import IconLabel, label
from satchel.runtime.session.events import Checked, Source

Verdict = Literal["supported", "not_found", "contradicted", "not_checked"]
VERDICTS: tuple[Verdict, ...] = ("supported", "not_found", "contradicted", "not_checked")
_COLOURS: dict[Verdict, ColourName] = {
    "supported": "accent",
    "not_found": "amber",
    "contradicted": "red",
    "not_checked": "faint",
}
_BAR_WIDTH, _BAR_HEIGHT, _BAR_GAP = 64, 6, 1
_SENTENCE_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as the list shows it."""

    verdict: Verdict
    text: str
    said: str
    """The verdict in words, with what differs and where."""


def counts_of(checks: Sequence[Checked]) -> dict[Verdict, int]:
    """Return how many sentences have each verdict."""
    return {verdict: sum(one.verdict == verdict for one in checks) for verdict in VERDICTS}


def summary(checks: Sequence[Checked]) -> str:
    """Return "1 of 2 statements found"."""
    counts = counts_of(checks)
    judged = len(checks) - counts["not_checked"]
    if not judged:
        return translate("Chat", "not checked")
    if judged == 1:
        return translate("Chat", "{found} of 1 statement found", found=counts["supported"])
    return translate("Chat", "{found} of {n} statements found", found=counts["supported"], n=judged)


def in_detail(checks: Sequence[Checked]) -> str:
    """Return the counts, a line a verdict."""
    counts = counts_of(checks)
    return "\n".join(f"{counts[verdict]} {_words(verdict)}" for verdict in VERDICTS if counts[verdict])


def sentences(answer: str, checks: Sequence[Checked], shown: Sequence[Source]) -> list[Sentence]:
    """Return what the list says of each sentence; `shown` are the passages that the model was given."""
    places = {source.n: place_of(source) for source in shown}
    made = []
    for one in checks:
        where = "; ".join(places[n] for n in one.sources if n in places)
        said = _words(one.verdict)
        if one.verdict == "contradicted" and one.differing:
            said = translate("Chat", "{verdict}: {what}", verdict=said, what=", ".join(one.differing))
        if where:
            said = translate("Chat", "{verdict} · {place}", verdict=said, place=where)
        text = textwrap.shorten(" ".join(answer[one.start : one.end].split()), _SENTENCE_CHARACTERS, placeholder=" …")
        made.append(Sentence(one.verdict, text, said))
    return made


class GroundednessBar(QWidget):
    """The bar and its words; a click asks for the sentences."""

    wanted = Signal()

    def __init__(self, appearance: Appearance, checks: Sequence[Checked]) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(_Bar(appearance, checks))
        self.button = Button(appearance, summary(checks), role="quiet", tip=in_detail(checks), clicked=self.wanted.emit)
        row.addWidget(self.button)
        self.setToolTip(in_detail(checks))


class SentenceList(QFrame):
    """The sentences of an answer, each with its verdict."""

    def __init__(self, appearance: Appearance, rows: Sequence[Sentence]) -> None:
        super().__init__()
        self.setProperty("role", "code")
        self.setAccessibleName(translate("Chat", "Checked sentences"))
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 10)
        column.setSpacing(10)
        for sentence in rows:
            row = QHBoxLayout()
            row.setSpacing(10)
            icon = "circle-check" if sentence.verdict == "supported" else "circle-alert"
            row.addWidget(IconLabel(appearance, icon, _icon_colour(sentence.verdict), 14))
            words = QVBoxLayout()
            words.setSpacing(1)
            words.addWidget(label(sentence.text, wrap=True, selectable=True))
            words.addWidget(label(sentence.said, "secondary", wrap=True))
            row.addLayout(words, 1)
            column.addLayout(row)


class _Bar(QWidget):
    def __init__(self, appearance: Appearance, checks: Sequence[Checked]) -> None:
        super().__init__()
        self._appearance, self._counts = appearance, counts_of(checks)
        self.setFixedSize(_BAR_WIDTH, _BAR_HEIGHT)
        appearance.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(_BAR_WIDTH, _BAR_HEIGHT)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        total = max(1, sum(self._counts.values()))
        there = [verdict for verdict in VERDICTS if self._counts[verdict]]
        room = _BAR_WIDTH - _BAR_GAP * (len(there) - 1)
        left = 0.0
        for verdict in there:
            wide = room * self._counts[verdict] / total
            painter.fillRect(QRectF(left, 0, wide, _BAR_HEIGHT), self._appearance.colour(_COLOURS[verdict]))
            left += wide + _BAR_GAP


def _icon_colour(verdict: Verdict) -> ColourName:
    return "muted" if verdict == "not_checked" else _COLOURS[verdict]


def _words(verdict: Verdict) -> str:
    return {
        "supported": translate("Chat", "found in your files"),
        "not_found": translate("Chat", "not found in your files"),
        "contradicted": translate("Chat", "your files say otherwise"),
        "not_checked": translate("Chat", "not checked"),
    }[verdict]
