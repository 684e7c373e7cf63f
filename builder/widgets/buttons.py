"""Buttons: with words, with an icon alone, and as a link."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QPushButton, QToolButton

from satchel.builder.theme.appearance import Appearance
from satchel.builder.theme.tokens import ColourName
from satchel.builder.widgets.labels import plain_tip


class Button(QPushButton):
    """A button whose words say what happens. Roles: "" (plain), `primary`, `danger`, `link`, `chip`."""

    def __init__(
        self,
        appearance: Appearance,
        text: str,
        *,
        role: str = "",
        icon: str = "",
        colour: ColourName | None = None,
        clicked: Callable[[], object] | None = None,
        tip: str = "",
        tone: str = "",
    ) -> None:
        super().__init__()
        self._appearance, self._icon_name = appearance, icon
        self.set_text(text)
        self._colour: ColourName = colour or ("on_accent" if role == "primary" else "text")
        self.setProperty("role", role)
        self.setProperty("tone", tone)
        self.setToolTip(plain_tip(tip))
        self.setCursor(Qt.CursorShape.PointingHandCursor if role in {"link", "chip"} else Qt.CursorShape.ArrowCursor)
        self.setAutoDefault(False)
        if icon:
            self.setIconSize(QSize(13, 13) if role == "chip" else QSize(16, 16))
            self._tint()
            appearance.changed.connect(self._tint)
        if clicked is not None:
            self.clicked.connect(lambda _checked=False: clicked())

    def set_text(self, text: str) -> None:
        """Say something else."""
        # A style sheet cannot set what lies between an icon and the words.
        self.setText((" " if self._icon_name else "") + text.replace("&", "&&"))
        self.setAccessibleName(text)

    def _tint(self) -> None:
        self.setIcon(self._appearance.icon(self._icon_name, self._colour))


class IconButton(QToolButton):
    """A button that is an icon; `name` is what screen readers and the tooltip say."""

    def __init__(
        self,
        appearance: Appearance,
        icon: str,
        name: str,
        *,
        colour: ColourName = "muted",
        size: int = 16,
        shortcut: str = "",
        clicked: Callable[[], object] | None = None,
    ) -> None:
        super().__init__()
        self._appearance, self._icon_name, self._colour, self._size = appearance, icon, colour, size
        self.setProperty("role", "icon")
        self.setAccessibleName(name)
        self.setToolTip(f"{name} ({shortcut})" if shortcut else name)
        self.setIconSize(QSize(size, size))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._tint()
        appearance.changed.connect(self._tint)
        if clicked is not None:
            self.clicked.connect(lambda _checked=False: clicked())

    def set_icon(self, icon: str, name: str | None = None, colour: ColourName | None = None) -> None:
        """Become another button: Send while nothing runs, Stop while an answer comes."""
        self._icon_name, self._colour = icon, colour or self._colour
        if name is not None:
            self.setAccessibleName(name)
            self.setToolTip(name)
        self._tint()

    def _tint(self) -> None:
        self.setIcon(self._appearance.icon(self._icon_name, self._colour, self._size))
