"""The one object that knows how the app looks now; it follows the system and tells whoever paints when that changes."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QIcon, QPalette, QPixmap
from PySide6.QtWidgets import QApplication

from satchel.builder.theme import tokens
from satchel.builder.theme.glyphs import Glyphs
from satchel.builder.theme.style import style_sheet
from satchel.builder.theme.tokens import DARK, LIGHT, ColourName, Tokens


class Appearance(QObject):
    """Light or dark, as the system says unless a person chose."""

    changed = Signal()

    def __init__(self, application: QApplication, *, choice: str = "system") -> None:
        """`choice` is `system`, `light` or `dark`."""
        super().__init__(application)
        self._application = application
        self._choice = choice
        self._glyphs = Glyphs()
        self.tokens: Tokens = LIGHT
        self._apply(self._wanted())
        application.styleHints().colorSchemeChanged.connect(self._follow)

    def choose(self, choice: str) -> None:
        """Take `system`, `light` or `dark` from now on."""
        self._choice = choice
        self._follow()

    def colour(self, name: ColourName) -> QColor:
        """Return a colour to paint with."""
        return QColor(self.tokens.colour(name))

    def pixmap(self, icon: str, colour: ColourName, size: int, ratio: float) -> QPixmap:
        """Return an icon, `size` logical pixels square, for a screen with `ratio` device pixels for each."""
        return self._glyphs.pixmap(icon, self.tokens.colour(colour), size, ratio)

    def icon(self, name: str, colour: ColourName = "muted", size: int = 16) -> QIcon:
        """Return an icon for menus and buttons; take it anew on `changed`."""
        icon = QIcon()
        for ratio in (1.0, 2.0):
            icon.addPixmap(self.pixmap(name, colour, size, ratio))
            icon.addPixmap(self.pixmap(name, "faint", size, ratio), QIcon.Mode.Disabled)
        return icon

    def _wanted(self) -> Tokens:
        if self._choice == "system":
            dark = self._application.styleHints().colorScheme() == Qt.ColorScheme.Dark
        else:
            dark = self._choice == "dark"
        return DARK if dark else LIGHT

    def _follow(self) -> None:
        wanted = self._wanted()
        if wanted is not self.tokens:
            self._apply(wanted)
            self.changed.emit()

    def _apply(self, wanted: Tokens) -> None:
        self.tokens = wanted
        font = QFont(self._application.font())
        font.setPixelSize(tokens.BODY)
        self._application.setFont(font)
        self._application.setPalette(_palette(wanted))
        self._application.setStyleSheet(style_sheet(wanted))


def _palette(of: Tokens) -> QPalette:
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: of.background,
        QPalette.ColorRole.Base: of.surface,
        QPalette.ColorRole.AlternateBase: of.sunken,
        QPalette.ColorRole.Button: of.surface,
        QPalette.ColorRole.Mid: of.line,
        QPalette.ColorRole.WindowText: of.text,
        QPalette.ColorRole.Text: of.text,
        QPalette.ColorRole.ButtonText: of.text,
        QPalette.ColorRole.ToolTipBase: of.surface,
        QPalette.ColorRole.ToolTipText: of.text,
        QPalette.ColorRole.PlaceholderText: of.faint,
        QPalette.ColorRole.Highlight: of.accent,
        QPalette.ColorRole.HighlightedText: of.on_accent,
        QPalette.ColorRole.Link: of.accent,
        QPalette.ColorRole.Accent: of.accent,
    }
    for role, colour in roles.items():
        palette.setColor(role, QColor(colour))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(of.faint))
    return palette
