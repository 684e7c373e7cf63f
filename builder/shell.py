"""What every page gets: the person's folders, how things look, long work, and the way to other pages.

Passed in; there is no global window.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import msgspec
from PySide6.QtCore import QObject, Signal

from satchel.builder.operations import Operations
from satchel.builder.preferences import Preferences, save_preferences
from satchel.builder.theme.appearance import Appearance
from satchel.runtime.paths import Home

Subject: TypeAlias = Literal["assistants", "chats", "models", "settings"]


class Shell(QObject):
    """One for each window."""

    page_wanted = Signal(str, dict)
    """Key of a page, and the arguments of its `arrive`."""
    notice_wanted = Signal(str, str, object, object)
    """Text, action, what the action does, what happens when it was not taken."""
    changed = Signal(str)
    """A `Subject` is not what it was: who shows it reads it anew."""
    preferences_changed = Signal()

    def __init__(self, home: Home, appearance: Appearance, preferences: Preferences, parent: QObject) -> None:
        super().__init__(parent)
        self.home = home
        self.appearance = appearance
        self.preferences = preferences
        self.operations = Operations(self)

    def open(self, page: str, **arguments: Any) -> None:
        """Go to a page: `shell.open("chat", reference="…")`."""
        self.page_wanted.emit(page, arguments)

    def notify(
        self,
        text: str,
        *,
        action: str = "",
        act: Callable[[], object] | None = None,
        otherwise: Callable[[], object] | None = None,
    ) -> None:
        """Say in one line what happened; `act` undoes it, `otherwise` is called when the notice goes without that."""
        self.notice_wanted.emit(text, action, act, otherwise)

    def tell_changed(self, subject: Subject) -> None:
        """Let every page know that something of this kind was added, changed or removed."""
        self.changed.emit(subject)

    def prefer(self, **changes: Any) -> None:
        """Change and keep a person's preferences."""
        self.preferences = msgspec.structs.replace(self.preferences, **changes)
        save_preferences(self.home.settings, self.preferences)
        if "appearance" in changes:
            self.appearance.choose(self.preferences.appearance)
        self.preferences_changed.emit()
