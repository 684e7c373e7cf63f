"""Check every byte of a pack, and that its knowledge can be relied on."""

from __future__ import annotations

import argparse

from satchel.runtime.cli.terminal import Terminal
from satchel.runtime.commands.pack_file import pack_file
from satchel.runtime.commands.verify import verify
from satchel.runtime.packfile.limits import size_in_words
from satchel.runtime.paths import find_home


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("pack", metavar="PACK", help="a .pack file, or an installed pack")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Verify; an unsound pack is an error."""
    result = verify(pack_file(arguments.pack, find_home()), progress=terminal.progress)
    terminal.end_progress()
    if arguments.json:
        terminal.json(result)
        return 0
    name = f"{result.name} {result.version}"
    terminal.print(f"sound: {name}, {size_in_words(result.size)}, {result.entries} entries, {result.signature}")
    terminal.print(f"  pack id {result.pack_id}")
    return 0
