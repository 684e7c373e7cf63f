"""A banner: something that the person should know, with what they can do about it. It hides nothing."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from satchel.builder.language import translate
from satchel.builder.operations import Failure
from satchel.builder.theme.appearance import Appearance
from satchel.builder.theme.tokens import ColourName
from satchel.builder.widgets.buttons import Button, IconButton
from satchel.builder.widgets.labels import IconLabel, label


class Banner(QFrame):
    """Tones: `amber` (needs you), `danger` (failed), `quiet` (good to know)."""

    dismissed = Signal()

    def __init__(
        self,
        appearance: Appearance,
        text: str,
        *,
        detail: str = "",
        tone: str = "amber",
        actions: list[tuple[str, Callable[[], object]]] | None = None,
        dismissable: bool = True,
    ) -> None:
        super().__init__()
        self.setProperty("role", "banner")
        self.setProperty("danger", tone == "danger")
        self.setProperty("quiet", tone == "quiet")
        self.setAccessibleName(f"{text} {detail}".strip())
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 8, 8)
        row.setSpacing(10)
        colours: dict[str, ColourName] = {"amber": "amber", "danger": "red", "quiet": "muted"}
        icon = IconLabel(appearance, "info" if tone == "quiet" else "circle-alert", colours[tone])
        row.addWidget(icon, alignment=Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(label(text, wrap=True, selectable=True))
        if detail:
            words.addWidget(label(detail, "secondary", wrap=True, selectable=True))
        row.addLayout(words, 1)
        for says, act in actions or []:
            row.addWidget(Button(appearance, says, role="link", clicked=act))
        if dismissable:
            row.addWidget(IconButton(appearance, "x", translate("Banner", "Dismiss"), clicked=self._dismiss))

    def _dismiss(self) -> None:
        self.hide()
        self.dismissed.emit()


def failure_banner(appearance: Appearance, failure: Failure, retry: Callable[[], object] | None = None) -> Banner:
    """Return what failed, why, the remedy, a way to try again, and "Copy details"."""

    def copy() -> None:
        QGuiApplication.clipboard().setText(failure.details)

    actions: list[tuple[str, Callable[[], object]]] = []
    if retry is not None:
        actions.append((translate("Banner", "Retry"), retry))
    actions.append((translate("Banner", "Copy details"), copy))
    return Banner(appearance, failure.message, detail=failure.advice, tone="danger", actions=actions)
