"""Read a folder's files and make them searchable; only what changed is read again."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path

from satchel.runtime.cli.terminal import Terminal, in_number
from satchel.runtime.commands.index import have_pictures_read, index_project
from satchel.runtime.paths import find_home
from satchel.runtime.project.outcomes import IndexedFile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--rebuild", action="store_true", help="read and embed everything anew")
    parser.add_argument(
        "--read-pictures",
        action="store_true",
        help="read pages without text from their pictures, from now on (kept in assistant.toml; needs the extra ocr)",
    )
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="for embedding (default: all cores)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Bring the index up to date and list the files."""
    if arguments.read_pictures and have_pictures_read(arguments.folder):
        terminal.note("note: assistant.toml now says read_pictures = true under [knowledge].")
    done = index_project(
        arguments.folder,
        find_home(),
        rebuild=arguments.rebuild,
        threads=arguments.threads,
        progress=terminal.progress,
    )
    terminal.end_progress()
    if arguments.json:
        terminal.json(done)
        return 0
    if not done.files:
        terminal.note(
            f"There are no knowledge files yet. Next: satchel add {shlex.quote(str(arguments.folder))} FILES…"
        )
        return 0
    print_files(done.files, terminal)
    state = "nothing had changed" if done.fresh else f"embedded with {done.embedder}"
    terminal.print(f"{in_number(done.passages, 'passage')}; {state}")
    for note in done.notes:
        terminal.note(f"note: {note}")
    return 0


def print_files(files: Sequence[IndexedFile], terminal: Terminal) -> None:
    """Print a line a file, those that could not be read with their reason."""
    for file in files:
        if file.left_out:
            terminal.print(f"  left out  {file.left_out}")
            continue
        parts = [
            in_number(file.pages, "page") if file.pages else "",
            f"{file.picture_pages} of them read from pictures" if file.picture_pages else "",
            in_number(file.passages, "passage"),
            file.language,
        ]
        said = ", ".join(part for part in parts if part)
        problem = f" ({file.problem})" if file.problem else ""
        terminal.print(f"  {file.name}: {said}{problem}")
