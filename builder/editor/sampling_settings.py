"""How a language model's next word is chosen: the fields of `[sampling]`."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from satchel.builder.language import translate
from satchel.builder.widgets.field import Field
from satchel.builder.widgets.number import DecimalNumber, WholeNumber
from satchel.runtime.project.schema import Sampling


class SamplingSettings(QWidget):
    """Every field says what it means in a few words."""

    changed = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "plain")
        self._showing = False
        self.fields: dict[str, Field] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(12)
        for place, (key, says, hint, editor) in enumerate(
            (
                (
                    "temperature",
                    translate("Model", "Temperature"),
                    translate("Model", "0: always the likeliest word; above 1: surprising"),
                    DecimalNumber(0, 5, step=0.1),
                ),
                (
                    "max_tokens",
                    translate("Model", "Longest answer"),
                    translate("Model", "in tokens, about three quarters of a word each"),
                    WholeNumber(1, 65_536, step=64),
                ),
                (
                    "top_p",
                    translate("Model", "Top P"),
                    translate("Model", "only the likeliest words up to this sum"),
                    DecimalNumber(0, 1, step=0.05),
                ),
                (
                    "top_k",
                    translate("Model", "Top K"),
                    translate("Model", "only so many words; 0: all"),
                    WholeNumber(0, 1000, step=5),
                ),
                (
                    "min_p",
                    translate("Model", "Min P"),
                    translate("Model", "none below this share of the likeliest"),
                    DecimalNumber(0, 1, step=0.01),
                ),
                (
                    "repeat_penalty",
                    translate("Model", "Repeat penalty"),
                    translate("Model", "above 1: says the same less often"),
                    DecimalNumber(0.5, 2, step=0.05),
                ),
                (
                    "seed",
                    translate("Model", "Seed"),
                    translate("Model", "the same one gives the same answer"),
                    WholeNumber(-1, 2**31 - 1, zero=translate("Model", "another one each time")),
                ),
            )
        ):
            field = Field(says, editor, hint=hint)
            self.fields[key] = field
            editor.valueChanged.connect(lambda value, of=key: self._tell(of, value))
            grid.addWidget(field, place // 2, place % 2)

    def show_sampling(self, sampling: Sampling) -> None:
        """Show these."""
        self._showing = True
        for key, field in self.fields.items():
            value = getattr(sampling, key)
            field.editor.setValue(-1 if value is None else value)  # type: ignore[attr-defined]  # a spin box, see above
        self._showing = False

    def complain(self, key: str, why: str) -> None:
        """Say at its field what is wrong."""
        for name, field in self.fields.items():
            field.complain(why if key == f"sampling.{name}" else "")

    def _tell(self, key: str, value: float) -> None:
        if not self._showing:
            self.changed.emit(key, None if key == "seed" and value < 0 else round(value, 4))
