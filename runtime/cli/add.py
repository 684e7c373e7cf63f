"""Add knowledge files to an assistant's folder: copied in, or linked where they lie."""

from __future__ import annotations

import argparse
from pathlib import Path

from satchel.runtime.cli.terminal import Terminal
from satchel.runtime.commands.add import add_knowledge


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("files", type=Path, nargs="+", metavar="FILES", help="files, or folders of files")
    parser.add_argument("--link", action="store_true", help="leave them where they are; changes are read again")
    parser.add_argument(
        "--replace", action="store_true", help="take the new file where one of that name has other content"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Add the files and say what was taken and what was not."""
    added = add_knowledge(arguments.folder, arguments.files, link=arguments.link, replace=arguments.replace)
    if arguments.json:
        terminal.json(added)
        return 0
    for entry in added.files:
        terminal.print(f"{entry.state:<9} {entry.name}{f': {entry.reason}' if entry.reason else ''}")
    return 0
