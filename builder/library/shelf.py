"""What the library shows, without a widget: which assistants in which order, and the words on their cards."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import msgspec

from satchel.builder.ago import ago
from satchel.builder.language import counted, translate
from satchel.runtime.commands.library import LibraryEntry, list_library
from satchel.runtime.errors import SaveError
from satchel.runtime.paths import Home

Order: TypeAlias = Literal["used", "name", "changed"]
RECENT = 5
_REMEMBERED = "library.msgpack"
_MOST_REMEMBERED = 100


@dataclass(frozen=True, slots=True)
class RecentChat:
    """A chat, and whose it is."""

    id: str
    title: str
    updated: float
    assistant_id: str
    assistant: str
    """The assistant's name; empty where it is gone."""
    avatar: bytes


@dataclass(frozen=True, slots=True)
class Shelf:
    """Everything on the page."""

    entries: tuple[LibraryEntry, ...] = ()
    chats: tuple[RecentChat, ...] = ()
    """Last used first."""


@dataclass(frozen=True, slots=True)
class _Remembered:
    place: str
    """Whose library it is: the folder of their data."""
    shelf: Shelf


@dataclass(frozen=True, slots=True)
class Fact:
    """What a chip on a card says."""

    text: str
    icon: str = ""
    tone: str = ""


def read_shelf(home: Home) -> Shelf:
    """Read assistants and chats from the disk, and remember them for the next start."""
    entries = list_library(home)
    shelf = Shelf(entries, _recent(entries, home))
    few = replace(shelf, chats=shelf.chats[:_MOST_REMEMBERED])
    if few != remembered_shelf(home):
        from satchel.runtime.atomic import save_bytes

        with contextlib.suppress(SaveError):  # a cache that cannot be written costs time, nothing else
            save_bytes(home.cache / _REMEMBERED, msgspec.msgpack.encode(_Remembered(str(home.data), few)))
    return shelf


def remembered_shelf(home: Home) -> Shelf:
    """Return what the page showed last; empty where nothing is remembered. Read in a millisecond, before anything."""
    try:
        remembered = msgspec.msgpack.decode((home.cache / _REMEMBERED).read_bytes(), type=_Remembered)
    except (OSError, msgspec.DecodeError):
        return Shelf()
    return remembered.shelf if remembered.place == str(home.data) else Shelf()


def _recent(entries: Sequence[LibraryEntry], home: Home) -> tuple[RecentChat, ...]:
    if not home.history.exists():
        return ()
    from satchel.runtime.session.history import History

    by_id = {entry.id: entry for entry in entries}
    with History(home.history) as history:
        chats = history.chats()
    found = []
    for chat in chats:
        entry = by_id.get(chat.assistant_id)
        name, avatar = (entry.name, entry.avatar) if entry is not None else ("", b"")
        found.append(RecentChat(chat.id, chat.title, chat.updated, chat.assistant_id, name, avatar))
    return tuple(found)


def arrange(entries: Sequence[LibraryEntry], typed: str, order: Order) -> list[LibraryEntry]:
    """Return those that hold every typed word in name, description, author or tools; sorted."""
    words = typed.casefold().split()
    found = [entry for entry in entries if all(word in _words_of(entry) for word in words)]
    if order == "name":
        return sorted(found, key=lambda entry: entry.name.casefold())
    if order == "changed":
        return sorted(found, key=lambda entry: -(entry.changed or 0.0))
    return sorted(found, key=lambda entry: -max(entry.used or 0.0, entry.changed or 0.0))


def find_chats(chats: Sequence[RecentChat], typed: str) -> list[RecentChat]:
    """Return the chats whose title or assistant holds every typed word."""
    words = typed.casefold().split()
    return [
        recent for recent in chats if all(word in f"{recent.title} {recent.assistant}".casefold() for word in words)
    ]


def origin(entry: LibraryEntry, now: float) -> str:
    """Return the line under a card's name: "mine · saved 2 min ago"."""
    whose = {
        "project": translate("Library", "mine"),
        "pack": translate("Library", "received"),
        "sample": translate("Library", "sample"),
    }[entry.kind]
    if entry.used is not None and (entry.changed is None or entry.used >= entry.changed):
        when = translate("Library", "used {when}", when=ago(entry.used, now))
    elif entry.changed is not None:
        when = translate("Library", "saved {when}", when=ago(entry.changed, now))
    else:
        when = translate("Library", "by {author}", author=entry.author) if entry.author else ""
    return f"{whose} · {when}" if when else whose


def facts(entry: LibraryEntry, *, quotes: bool) -> list[Fact]:
    """Return a card's chips; `quotes` tells that no language model would answer."""
    if entry.problem:
        return [Fact(translate("Library", "cannot be opened"), "circle-alert", "amber")]
    found = []
    if entry.files:
        files = counted(entry.files, translate("Library", "{n} file"), translate("Library", "{n} files"))
        found.append(Fact(files, "file-text"))
    if entry.links:
        links = counted(entry.links, translate("Library", "linked folder"), translate("Library", "{n} linked folders"))
        found.append(Fact(links, "link"))
    found += [Fact(tool, "plug") for tool in entry.tools[:2]]
    if len(entry.tools) > 2:
        found.append(Fact(translate("Library", "{n} more tools", n=len(entry.tools) - 2)))
    if entry.asks:
        found.append(Fact(translate("Library", "asks first"), "shield", "amber"))
    if quotes and entry.files and not entry.tools:
        found.append(Fact(translate("Library", "answers by quoting")))
    return found


def _words_of(entry: LibraryEntry) -> str:
    return f"{entry.name} {entry.description} {entry.author} {' '.join(entry.tools)}".casefold()
