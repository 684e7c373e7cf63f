"""Write a chat as Markdown."""

from __future__ import annotations

import re
from pathlib import Path

from satchel.runtime.atomic import save_text
from satchel.runtime.paths import Home
from satchel.runtime.session.export import chat_as_markdown
from satchel.runtime.session.history import History


def export_chat(home: Home, chat_id: str, path: Path) -> None:
    """Write the branch of a chat that is shown; an old file is replaced whole, or not at all.

    Raises:
        UnknownChatError: it was deleted.
        SaveError: the disk is full or not writable.
    """
    with History(home.history) as history:
        chat = history.chat(chat_id)
        save_text(path, chat_as_markdown(chat, history.path(chat.head)))


def file_name(title: str) -> str:
    """Return a file's name for a chat's title."""
    plain = re.sub(r"[^\w .,-]+", " ", title)
    return (" ".join(plain.split())[:80].strip(". ") or "chat") + ".md"
