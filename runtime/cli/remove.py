"""Remove an installed pack: by its id, the id's first digits, or its name."""

from __future__ import annotations

import argparse

from satchel.runtime.cli.terminal import Terminal, in_number
from satchel.runtime.commands.remove import look_up, remove
from satchel.runtime.errors import UsageError
from satchel.runtime.paths import find_home


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("pack", metavar="PACK")
    chats = parser.add_mutually_exclusive_group()
    chats.add_argument("--with-chats", action="store_true", help="delete its chats as well")
    chats.add_argument("--keep-chats", action="store_true", help="leave its chats in the history")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Remove the pack, and its chats when they are to go too."""
    home = find_home()
    found = look_up(arguments.pack, home)
    with_chats = arguments.with_chats
    if found.chats and not with_chats and not arguments.keep_chats:
        chats = in_number(found.chats, "chat")
        if not terminal.interactive:
            raise UsageError(reason=f"it had {chats}: say --with-chats or --keep-chats; there is nobody here to ask")
        them = "it" if found.chats == 1 else "them"
        with_chats = terminal.ask_yes(f"{found.pack.name} {found.pack.version} had {chats}. Delete {them} as well?")
    done = remove(found.pack.pack_id, home, with_chats=with_chats)
    if arguments.json:
        terminal.json(done)
        return 0
    chats = f", and {in_number(done.chats_deleted, 'chat')}" if with_chats else ""
    terminal.print(f"removed: {done.pack.name} {done.pack.version}{chats}")
    if done.now_current is not None:
        terminal.print(f"  its name stands for version {done.now_current.version} now")
    return 0
