"""Talk with an assistant. Lines that begin with / are commands; /help lists them.

Ctrl-C stops an answer, Ctrl-D ends the chat.
"""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Iterator

from satchel.runtime.cli.chat_commands import ChatCommands, in_short
from satchel.runtime.cli.model_arguments import add_model_arguments, add_tool_arguments, options_from
from satchel.runtime.cli.terminal import Terminal
from satchel.runtime.commands.answer import open_session
from satchel.runtime.commands.opening import open_assistant
from satchel.runtime.errors import SatchelError
from satchel.runtime.paths import find_home
from satchel.runtime.session.history import History
from satchel.runtime.session.session import Session


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("assistant", metavar="PACK_OR_FOLDER")
    parser.add_argument("--list", action="store_true", help="list the chats with this assistant")
    parser.add_argument("--chat", metavar="ID", help="go on with a chat (its id, or how it begins)")
    parser.add_argument("--search", metavar="WORDS", help="find messages of this assistant's chats")
    parser.add_argument("--delete", metavar="ID", help="delete a chat and all of its messages")
    add_model_arguments(parser)
    add_tool_arguments(parser)


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Talk until the person leaves, or do what an option asks."""
    home = find_home()
    if arguments.list or arguments.search is not None or arguments.delete is not None:
        return _manage(arguments, terminal)
    options = options_from(arguments, can_ask=terminal.interactive)
    with open_session(arguments.assistant, options, home, chat=arguments.chat, progress=terminal.progress) as session:
        terminal.end_progress()
        _greet(session, terminal)
        for told in session.assistant.unread:
            terminal.note(terminal.dim(f"note: left out {told}"))
        commands = ChatCommands(session, terminal)
        for line in _lines(terminal):
            with _reporting(terminal):
                if not commands.take(line):
                    break
    return 0


def _greet(session: Session, terminal: Terminal) -> None:
    assistant = session.assistant
    terminal.print(terminal.bold(assistant.name))
    if assistant.greeting:
        terminal.print(assistant.greeting)
    for starter in assistant.starters:
        terminal.print(terminal.dim(f"  > {starter}"))
    if session.chat is not None:
        terminal.print(terminal.dim(f"Going on with “{session.chat.title}”."))
    terminal.print(terminal.dim("/help lists the commands."))


def _lines(terminal: Terminal) -> Iterator[str]:
    if terminal.interactive:
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401 - line editing for input()
    while True:
        try:
            line = input("\n> " if terminal.interactive else "")
        except (EOFError, KeyboardInterrupt):
            terminal.print()
            return
        if line.strip():
            yield line.strip()


def _manage(arguments: argparse.Namespace, terminal: Terminal) -> int:
    home = find_home()
    assistant = open_assistant(arguments.assistant, home)
    with History(home.history) as history:
        if arguments.delete is not None:
            chat = history.chat(arguments.delete, assistant_id=assistant.id)
            history.delete_chat(chat.id)
            terminal.print(f"deleted: {chat.title}")
        elif arguments.search is not None:
            found = history.search(arguments.search, assistant_id=assistant.id)
            for message in found:
                terminal.print(f"{message.chat_id[:8]}  {message.role}: {in_short(message)}")
            if not found:
                terminal.note("No message of the chats with this assistant holds any of these words.")
        else:
            chats = history.chats(assistant.id)
            if not chats:
                terminal.note("There are no chats with this assistant yet.")
            for chat in chats:
                when = time.strftime("%Y-%m-%d %H:%M", time.localtime(chat.updated))
                terminal.print(f"{chat.id[:8]}  {when}  {chat.title}")
    return 0


@contextlib.contextmanager
def _reporting(terminal: Terminal) -> Iterator[None]:
    """Show an error and go on: a chat outlives a failed turn."""
    try:
        yield
    except SatchelError as error:
        terminal.note(f"{error.message} {error.advice}".strip())
