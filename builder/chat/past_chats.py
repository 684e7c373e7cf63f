"""The chats that there were, without a widget: which are listed, under which day, for which words."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from satchel.builder.ago import day_of
from satchel.runtime.commands.library import LibraryEntry, list_library
from satchel.runtime.paths import Home
from satchel.runtime.session.history import Chat, History

_FOUND = 200


@dataclass(frozen=True, slots=True)
class Past:
    """All chats, last used first, and who they were had with."""

    chats: tuple[Chat, ...] = ()
    assistants: dict[str, LibraryEntry] | None = None
    """By the assistant's id."""

    def assistant(self, chat: Chat) -> LibraryEntry | None:
        """Return whose chat it is; None where the assistant is gone."""
        return (self.assistants or {}).get(chat.assistant_id)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list: a day, or a chat."""

    heading: str = ""
    chat: Chat | None = None
    name: str = ""
    """The assistant's."""


def read_past(home: Home) -> Past:
    """Read chats and assistants from the disk."""
    assistants = {entry.id: entry for entry in list_library(home)}
    if not home.history.exists():
        return Past((), assistants)
    with History(home.history) as history:
        return Past(history.chats(), assistants)


def chats_with(words: str, home: Home) -> frozenset[str]:
    """Return the ids of the chats in which something was said that holds any of the words."""
    if not words.strip() or not home.history.exists():
        return frozenset()
    with History(home.history) as history:
        return frozenset(message.chat_id for message in history.search(words, limit=_FOUND))


def rows(past: Past, now: float, typed: str, said: Collection[str], hidden: Collection[str]) -> list[Row]:
    """Return the list: chats whose title or assistant holds every typed word, or in which they were said."""
    words = typed.casefold().split()
    found: list[Row] = []
    heading = ""
    for chat in past.chats:
        if chat.id in hidden:
            continue
        assistant = past.assistant(chat)
        name = assistant.name if assistant else ""
        title = f"{chat.title} {name}".casefold()
        if words and chat.id not in said and not all(word in title for word in words):
            continue
        day = day_of(chat.updated, now)
        if day != heading:
            heading = day
            found.append(Row(heading=day))
        found.append(Row(chat=chat, name=name))
    return found


def rename_chat(home: Home, chat_id: str, title: str) -> None:
    """Give a chat another title, on one line."""
    with History(home.history) as history:
        history.rename_chat(chat_id, " ".join(title.split())[:200])


def delete_chat(home: Home, chat_id: str) -> None:
    """Delete a chat and everything in it from the disk."""
    with History(home.history) as history:
        history.delete_chat(chat_id)
