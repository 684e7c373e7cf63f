"""What the palette reaches beside commands: every assistant and every chat."""

from __future__ import annotations

from functools import partial

from satchel.builder.chat.past_chats import Past
from satchel.builder.commands import Command
from satchel.builder.language import translate
from satchel.builder.shell import Shell


def reachable(past: Past, shell: Shell) -> list[Command]:
    """Return a command for each assistant and each chat."""
    assistants = sorted((past.assistants or {}).values(), key=lambda entry: entry.name.casefold())
    found = [
        Command(
            entry.name,
            partial(shell.open, "chat", reference=entry.reference),
            "",
            translate("Palette", "assistant"),
            "messages-square",
        )
        for entry in assistants
        if not entry.problem
    ]
    for chat in past.chats:
        entry = past.assistant(chat)
        hint = entry.name if entry is not None else translate("Palette", "chat")
        found.append(Command(chat.title, partial(shell.open, "chat", chat=chat.id), "", hint, "clock"))
    return found
