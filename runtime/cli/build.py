"""Seal a folder into one .pack file. The same folder gives the same bytes, on every machine."""

from __future__ import annotations

import argparse
from pathlib import Path

from satchel.runtime.cli.index import print_files
from satchel.runtime.cli.terminal import Terminal, in_number
from satchel.runtime.commands.build import build_pack
from satchel.runtime.packfile.limits import size_in_words
from satchel.runtime.paths import find_home


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="(default: FOLDER.pack beside the folder)")
    parser.add_argument("--without-sources", action="store_true", help="carry the files' text, not the files")
    parser.add_argument("--strict", action="store_true", help="refuse when a file cannot be read")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="for embedding (default: all cores)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Build the pack and say what is in it."""
    built = build_pack(
        arguments.folder,
        arguments.output,
        find_home(),
        sources=not arguments.without_sources,
        strict=arguments.strict,
        threads=arguments.threads,
        progress=terminal.progress,
    )
    terminal.end_progress()
    if arguments.json:
        terminal.json(built)
        return 0
    print_files(built.files, terminal)
    terminal.print(f"{terminal.bold(built.path)}: {size_in_words(built.size)}, {in_number(built.passages, 'passage')}")
    terminal.print(f"  pack id {built.pack_id}")
    for note in built.notes:
        terminal.note(f"note: {note}")
    return 0
