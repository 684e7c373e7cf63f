"""Go back to the version of an installed assistant that was current before."""

from __future__ import annotations

import argparse

from satchel.runtime.cli.terminal import Terminal, escape_control
from satchel.runtime.commands.rollback import rollback
from satchel.runtime.paths import find_home


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("pack", metavar="PACK", help="its name, or any of its versions' ids")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Make the version before current again."""
    done = rollback(arguments.pack, find_home())
    if arguments.json:
        terminal.json(done)
        return 0
    name, version, before = (escape_control(text) for text in (done.now.name, done.now.version, done.before.version))
    terminal.print(f"{name} stands for version {version} again, instead of {before}, which stays installed")
    return 0
