"""Check a pack and keep it in the store, where it is run by its name."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from satchel.runtime.cli.terminal import Terminal
from satchel.runtime.commands.install import install
from satchel.runtime.paths import find_home


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("pack", type=Path, metavar="PACK")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Install the pack and say how to run it."""
    done = install(arguments.pack, find_home(), progress=terminal.progress)
    terminal.end_progress()
    if arguments.json:
        terminal.json(done)
        return 0
    terminal.print(f"{'was installed already' if done.already else 'installed'}: {done.pack.name} {done.pack.version}")
    if done.replaces is not None:
        terminal.print(f"  in the place of {done.replaces.version}; `satchel rollback` brings that back")
    terminal.print(f'  Next: satchel run {shlex.quote(done.pack.name)} "your question"')
    return 0
