"""A call of a tool in a chat: one line that unfolds to arguments and result, and the files that it made."""

from __future__ import annotations

import functools
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget

from satchel.builder.chat.artefacts import Artefacts
from satchel.builder.chat.fixed_box import FixedBox
from satchel.builder.chat.tool_uses import ToolUse, icon_of, state_words, title_of
from satchel.builder.language import translate
from satchel.builder.theme.appearance import Appearance
from satchel.builder.theme.tokens import ColourName
from satchel.builder.widgets.buttons import Button, IconButton
from satchel.builder.widgets.card import Card, CardButton
from satchel.builder.widgets.flow import FlowBox
from satchel.builder.widgets.labels import ElidedLabel, IconLabel, label

_PICTURE_WIDTH, _FRAME = 502, 8
_MOST_HEIGHT = 220
_TONES: dict[str, ColourName] = {"asks": "amber", "refused": "amber", "failed": "red"}


class ToolCard(QWidget):
    """Shows one call; `show_use` follows it while it runs."""

    def __init__(self, appearance: Appearance, use: ToolUse, artefacts: Artefacts | None) -> None:
        super().__init__()
        self._appearance, self._artefacts = appearance, artefacts
        self.use = use
        self.is_open = False
        self._title = label(title_of(use), "strong")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self.card = CardButton(title_of(use), padding=0, spacing=0)
        self.card.opened.connect(self.toggle)
        head = QHBoxLayout()
        head.setContentsMargins(14, 6, 8, 6)
        head.setSpacing(10)
        head.addWidget(IconLabel(appearance, icon_of(use.name)))
        head.addWidget(self._title)
        head.addWidget(ElidedLabel(use.in_short, "secondary"), 1)
        self._state_icon = IconLabel(appearance, "circle-alert")
        head.addWidget(self._state_icon)
        self.state = label("", "secondary")
        head.addWidget(self.state)
        self.chevron = IconButton(appearance, "chevron-down", translate("Chat", "Show the call"), clicked=self.toggle)
        head.addWidget(self.chevron)
        self.card.column.addLayout(head)
        self._inside: QFrame | None = None
        self._column.addWidget(self.card)
        self.pictures: list[QLabel] = []
        self._shown_files: tuple[str, ...] = ()
        self._show()

    def show_use(self, use: ToolUse) -> None:
        """Show how far the call is now; what it shows already costs nothing."""
        if use == self.use:
            return
        self.use = use
        self._show()
        if self.is_open:
            self.toggle()
            self.toggle()

    def _show(self) -> None:
        use = self.use
        self._title.setText(title_of(use))
        self.state.setText(state_words(use.state))
        self._state_icon.setVisible(use.state in _TONES)
        self._state_icon.set_icon("circle-alert", _TONES.get(use.state, "muted"))
        self.card.setAccessibleName(f"{title_of(use)}: {state_words(use.state)}")
        if use.artefacts and use.artefacts != self._shown_files:
            self._shown_files = use.artefacts
            self._show_files()

    def toggle(self) -> None:
        """Unfold to arguments and result, or fold."""
        self.is_open = not self.is_open
        said = translate("Chat", "Hide the call") if self.is_open else translate("Chat", "Show the call")
        self.chevron.set_icon("chevron-up" if self.is_open else "chevron-down", said)
        if self._inside is not None:
            self.card.column.removeWidget(self._inside)
            self._inside.hide()
            self._inside.deleteLater()
            self._inside = None
        if self.is_open:
            self._inside = self._details()
            self.card.column.addWidget(self._inside)

    def _details(self) -> QFrame:
        inside = QFrame()
        inside.setProperty("role", "plain")
        column = QVBoxLayout(inside)
        column.setContentsMargins(14, 0, 14, 12)
        column.setSpacing(6)
        use = self.use
        for heading, text in (
            (translate("Chat", "Arguments"), use.in_full or translate("Chat", "none")),
            (translate("Chat", "Result"), use.result or (translate("Chat", "nothing") if use.state == "done" else "")),
        ):
            if text:
                column.addWidget(label(heading, "heading"))
                column.addWidget(FixedBox(self._appearance, text, heading, most=_MOST_HEIGHT))
        return inside

    def _show_files(self) -> None:
        """Show the pictures, and each file with what can be done with it."""
        artefacts = self._artefacts
        if artefacts is None:
            return
        for path in self.use.pictures:
            picture = QLabel()
            picture.setAccessibleName(Path(path).name)
            picture.setAlignment(Qt.AlignmentFlag.AlignLeft)
            self.pictures.append(picture)
            frame = Card(padding=_FRAME)
            frame.column.addWidget(picture)
            self._column.addWidget(frame, alignment=Qt.AlignmentFlag.AlignLeft)
            frame.hide()
            artefacts.load(path, _PICTURE_WIDTH, frame, functools.partial(_show, picture, frame))
        flow = FlowBox(spacing=6)
        for path in self.use.artefacts:
            icon = "image" if path in self.use.pictures else "file-text"
            chip = Button(self._appearance, Path(path).name, role="chip", icon=icon, colour="muted")
            menu = QMenu(chip)
            folder = menu.addAction(translate("Chat", "Show in folder"))
            folder.triggered.connect(lambda _checked=False, of=path: artefacts.reveal(of))
            copy = menu.addAction(translate("Chat", "Save a copy…"))
            copy.triggered.connect(lambda _checked=False, of=path: artefacts.save(of, self))
            chip.setMenu(menu)
            flow.add(chip)
        self._column.addWidget(flow)


def _show(picture: QLabel, frame: Card, image: QImage) -> None:
    picture.setPixmap(QPixmap.fromImage(image))
    frame.show()
