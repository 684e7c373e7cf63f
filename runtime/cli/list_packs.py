"""List the installed packs; the version marked * is the one that its name stands for."""

from __future__ import annotations

import argparse

from satchel.runtime.cli.terminal import Terminal
from satchel.runtime.commands.list_packs import list_packs
from satchel.runtime.packfile.limits import size_in_words
from satchel.runtime.paths import find_home


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Print a line a pack."""
    found = list_packs(find_home())
    if arguments.json:
        terminal.json(found)
        return 0
    if not found.packs:
        terminal.note("No packs are installed yet. `satchel install FILE.pack` adds one.")
    for pack in found.packs:
        author = f"  by {pack.author}" if pack.author else ""
        terminal.print(
            f"{'*' if pack.current else ' '} {pack.pack_id[:12]}  {pack.name} "
            f"{pack.version}  {size_in_words(pack.size)}{author}"
        )
    return 0
