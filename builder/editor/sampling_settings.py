"""How a language model's next word is chosen: the fields of `[sampling]`."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDoubleSpinBox, QGridLayout, QSpinBox, QWidget

from satchel.builder.language import translate
from satchel.builder.widgets.field import Field
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
                    _share(0, 5, 0.1),
                ),
                (
                    "max_tokens",
                    translate("Model", "Longest answer"),
                    translate("Model", "in tokens, about three quarters of a word each"),
                    _whole(1, 65_536, 64),
                ),
                (
                    "top_p",
                    translate("Model", "Top P"),
                    translate("Model", "only the likeliest words up to this sum"),
                    _share(0, 1, 0.05),
                ),
                (
                    "top_k",
                    translate("Model", "Top K"),
                    translate("Model", "only so many words; 0: all"),
                    _whole(0, 1000, 5),
                ),
                (
                    "min_p",
                    translate("Model", "Min P"),
                    translate("Model", "none below this share of the likeliest"),
                    _share(0, 1, 0.01),
                ),
                (
                    "repeat_penalty",
                    translate("Model", "Repeat penalty"),
                    translate("Model", "above 1: says the same less often"),
                    _share(0.5, 2, 0.05),
                ),
                (
                    "seed",
                    translate("Model", "Seed"),
                    translate("Model", "the same one gives the same answer"),
                    _seed(),
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


def _share(least: float, most: float, step: float) -> QDoubleSpinBox:
    made = QDoubleSpinBox()
    made.setDecimals(2)
    made.setRange(least, most)
    made.setSingleStep(step)
    return made


def _whole(least: int, most: int, step: int) -> QSpinBox:
    made = QSpinBox()
    made.setRange(least, most)
    made.setSingleStep(step)
    made.setKeyboardTracking(False)
    made.setGroupSeparatorShown(True)
    return made


def _seed() -> QSpinBox:
    made = _whole(-1, 2**31 - 1, 1)
    made.setGroupSeparatorShown(False)
    made.setSpecialValueText(translate("Model", "another one each time"))
    return made
