"""Show which secrets an assistant's services want; keep one, take it back, or sign in.

A secret is typed unseen or comes from standard input, never from an argument, where other programs see it. It is kept
in the system's keyring, or in an encrypted file where there is none, and never goes into a pack.
"""

from __future__ import annotations

import argparse
import os
import sys
import webbrowser
from collections.abc import Callable

from satchel.runtime.cli.terminal import Terminal
from satchel.runtime.commands.keys import AssistantKeys, SignIn, list_keys, remove_key, set_key, sign_in
from satchel.runtime.errors import UsageError
from satchel.runtime.paths import find_home


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("assistant", metavar="PACK_OR_FOLDER")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--set", metavar="NAME", help="keep a secret; it is asked for, or read from standard input")
    what.add_argument("--remove", metavar="NAME", help="forget a secret")
    what.add_argument("--list", action="store_true", help="show what is wanted and what is kept (the default)")
    what.add_argument("--sign-in", metavar="NAME", help="sign in at a service; needs --client-id")
    parser.add_argument("--client-id", metavar="ID", help="what the service knows Satchel as")
    parser.add_argument("--client-secret", action="store_true", help="it also gave a client secret, which is asked for")
    parser.add_argument("--code", action="store_true", help="sign in by a code that you type on another device")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Do what is asked, then show what counts."""
    home, assistant = find_home(), arguments.assistant
    if arguments.set is not None:
        if "=" in arguments.set:
            raise UsageError(reason="--set takes a name alone; the secret is asked for, or comes from standard input")
        told = set_key(assistant, home, arguments.set, lambda: terminal.ask_secret(f"{arguments.set}:"))
    elif arguments.remove is not None:
        told = remove_key(assistant, home, arguments.remove)
    elif arguments.sign_in is not None:
        told = sign_in(assistant, home, arguments.sign_in, _way(arguments, terminal))
    else:
        told = list_keys(assistant, home)
    if arguments.json:
        terminal.json(told)
    else:
        _show(told, terminal)
    return 0


def _way(arguments: argparse.Namespace, terminal: Terminal) -> SignIn:
    if not arguments.client_id:
        raise UsageError(reason="--sign-in needs --client-id, which the service gives to whoever registers a program")
    secret = terminal.ask_secret("client secret:") if arguments.client_secret else ""

    def tell(address: str, code: str) -> None:
        terminal.note(f"Open {address} on any device and type {code}")

    return SignIn(arguments.client_id, secret, None if arguments.code else _browser(terminal), tell)


def _browser(terminal: Terminal) -> Callable[[str], None] | None:
    """Return what shows a page in this computer's browser; None where nobody would see it."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return None

    def show(address: str) -> None:
        terminal.note(f"Sign in at {address}")
        webbrowser.open(address)

    return show


def _show(told: AssistantKeys, terminal: Terminal) -> None:
    for problem in told.problems:
        terminal.note(problem)
    if not told.secrets:
        terminal.print(f"{told.name} wants no secrets.")
        return
    terminal.print(f"{terminal.bold(told.name)} wants these secrets; they are kept in {told.store}:")
    for one in told.secrets:
        state = "kept" if one.is_kept else "missing"
        terminal.print(f"  {state:<8} {one.name} ({one.kind}), for {', '.join(one.places)}")
