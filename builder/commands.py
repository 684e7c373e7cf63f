"""What the palette offers: every command, assistant and chat, found by a few letters of its words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """Something that a person can do, wherever they are in the window."""

    title: str
    """As the palette shows it: "New assistant"."""
    run: Callable[[], object]
    shortcut: str = ""
    """As Qt writes it, such as "Ctrl+N"; empty without one."""
    hint: str = ""
    """What it is about: "assistant", "chat", the page's name."""
    icon: str = ""


def find_commands(commands: Iterable[Command], typed: str, *, limit: int = 50) -> list[Command]:
    """Return the commands whose words begin with what was typed, the closest first; nothing typed: all in order."""
    words = typed.casefold().split()
    scored = []
    for place, command in enumerate(commands):
        score = _score(command, words)
        if score is not None:
            scored.append((score, place, command))
    scored.sort(key=lambda entry: entry[:2])
    return [command for _, _, command in scored[:limit]]


def _score(command: Command, words: list[str]) -> int | None:
    """Return how far a command is from the words, or None: each must begin a word of it, or stand somewhere in it."""
    title = command.title.casefold()
    parts = title.split()
    total = 0
    for word in words:
        if title.startswith(word):
            continue
        if any(part.startswith(word) for part in parts):
            total += 1
        elif word in title or word in command.hint.casefold():
            total += 2
        else:
            return None
    return total
