"""Go back to the version of an installed assistant that was current before, or to any other by its id."""

from __future__ import annotations

import argparse

from satchel.runtime.cli.terminal import Terminal
from satchel.runtime.commands.rollback import rollback
from satchel.runtime.paths import find_home


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("pack", metavar="PACK", help="its name, or the id of the version that you want")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Make an earlier version current again."""
    done = rollback(arguments.pack, find_home())
    if arguments.json:
        terminal.json(done)
        return 0
    terminal.print(
        f"{done.now.name} stands for version {done.now.version} again, instead of {done.before.version}, "
        "which stays installed"
    )
    for other in done.others:
        terminal.print(f"  also installed: version {other.version}, `satchel rollback {other.pack_id[:12]}`")
    return 0
