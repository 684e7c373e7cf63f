"""The table of pages. A page's module is imported when the page is first opened, so that the window is there at once.

To add one: write `builder/NAME/page.py` with a `Page`, and a line here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from satchel.builder.language import translate
from satchel.builder.page import Page
from satchel.builder.shell import Shell


@dataclass(frozen=True, slots=True)
class PageSpec:
    """How the window knows a page."""

    key: str
    """As `Shell.open` names it."""
    make: Callable[[Shell], Page]
    rail: Literal["", "top", "bottom"] = ""
    """Where its entry on the rail stands; empty: none."""
    title: str = ""
    icon: str = ""
    under: str = ""
    """The key of the page whose rail entry is lit while this one is shown; empty: its own."""


def page_specs() -> tuple[PageSpec, ...]:
    """Return all pages, those on the rail in its order."""
    return (
        PageSpec("library", _library, "top", translate("Rail", "Library"), "library"),
        PageSpec("chat", _chat, "top", translate("Rail", "Chats"), "messages-square"),
        PageSpec("models", _models, "top", translate("Rail", "Models"), "box"),
        PageSpec("settings", _settings, "bottom", translate("Rail", "Settings"), "settings"),
        PageSpec("import", _import_review, under="library"),
        PageSpec("new", _new, under="library"),
        PageSpec("editor", _editor, under="library"),
    )


def _library(shell: Shell) -> Page:
    from satchel.builder.library.page import LibraryPage

    return LibraryPage(shell)


def _chat(shell: Shell) -> Page:
    from satchel.builder.chat.page import ChatPage

    return ChatPage(shell)


def _import_review(shell: Shell) -> Page:
    from satchel.builder.importing.page import ImportPage

    return ImportPage(shell)


def _new(shell: Shell) -> Page:
    from satchel.builder.editor.new_page import NewPage

    return NewPage(shell)


def _editor(shell: Shell) -> Page:
    from satchel.builder.editor.page import EditorPage

    return EditorPage(shell)


def _models(shell: Shell) -> Page:
    from satchel.builder.models_page.page import ModelsPage

    return ModelsPage(shell)


def _settings(shell: Shell) -> Page:
    from satchel.builder.settings_page.page import SettingsPage

    return SettingsPage(shell)
