"""Turn a pack into an editable folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from satchel.runtime.cli.terminal import Terminal, in_number
from satchel.runtime.commands.pack_file import pack_file
from satchel.runtime.commands.unpack import unpack
from satchel.runtime.paths import find_home


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("pack", metavar="PACK", help="a .pack file, or an installed pack")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a new or an empty one")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Write the folder."""
    done = unpack(pack_file(arguments.pack, find_home()), arguments.folder, progress=terminal.progress)
    terminal.end_progress()
    if arguments.json:
        terminal.json(done)
        return 0
    terminal.print(f"{done.folder} is ready: {done.name}, {in_number(len(done.with_source), 'file')}.")
    if done.text_only:
        terminal.print(f"  Of {len(done.text_only)} more the pack brought text and vectors, but not the file.")
    if done.has_tools:
        terminal.print("  Its tools ask before they do anything; `satchel grant FOLDER` shows what they ask for.")
    if done.other_embedder:
        terminal.note(
            f"Its passages were embedded with {done.other_embedder}, which is none of Satchel's own: the project is set"
            " to the default embedder, and the next index embeds them anew. If you have that model and trust it, set "
            "`embedder` under [knowledge] in assistant.toml to its folder."
        )
    return 0
