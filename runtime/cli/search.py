"""Show which passages a question finds; with --why, how every file did."""

from __future__ import annotations

import argparse
import textwrap

from satchel.runtime.cli.terminal import Terminal
from satchel.runtime.commands.search import SearchResult, search
from satchel.runtime.knowledge.answers import FileExplanation, FoundPassage
from satchel.runtime.paths import find_home

_WIDTH = 96


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("assistant", metavar="PACK_OR_FOLDER")
    parser.add_argument("question", nargs="+", metavar="QUESTION")
    parser.add_argument("-k", type=int, metavar="N", help="how many passages (default: the assistant's setting)")
    parser.add_argument("--no-gate", action="store_true", help="show passages that do not bear on the question, too")
    parser.add_argument("--file", action="append", metavar="NAME", help="search only in this file (repeatable)")
    parser.add_argument("--why", action="store_true", help="tell for every file why it was used or not")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Search and print."""
    found = search(
        arguments.assistant,
        " ".join(arguments.question).encode(errors="surrogateescape").decode(errors="replace"),
        find_home(),
        k=arguments.k,
        gated=not arguments.no_gate,
        why=arguments.why,
        files=arguments.file,
        progress=terminal.progress,
    )
    terminal.end_progress()
    if arguments.json:
        terminal.json(found)
        return 0
    for number, passage in enumerate(found.passages, 1):
        terminal.print(_passage(number, passage, terminal))
    _print_rest(found, terminal)
    return 0


def _passage(number: int, passage: FoundPassage, terminal: Terminal) -> str:
    page = f", p. {passage.page_label or passage.page}" if passage.page is not None else ""
    vector = f"{passage.vector:.3f}" if passage.vector is not None else "none"
    scores = terminal.dim(f"score {passage.score:.3f}, words {passage.bm25:.2f}, meaning {vector}")
    text = textwrap.shorten(" ".join(passage.text.split()), 3 * _WIDTH, placeholder=" …")
    place = f"{passage.file}{page}{' (read from a picture)' if passage.picture_pages else ''}"
    head = f"{terminal.bold(f'[{number}]')} {place}  characters {passage.start}-{passage.end}  {scores}"
    return f"{head}\n{textwrap.indent(textwrap.fill(text, _WIDTH), '    ')}"


def _print_rest(found: SearchResult, terminal: Terminal) -> None:
    if not found.passages:
        terminal.print("No passage bears on this question.")
    if found.below_gate:
        more = "1 more passage does" if found.below_gate == 1 else f"{found.below_gate} more passages do"
        terminal.note(f"{more} not bear on the question (--no-gate shows what was kept back).")
    for warning in found.warnings:
        terminal.note(f"note: {warning.text}")
    for file in found.files:
        terminal.print(_explained(file))


def _explained(file: FileExplanation) -> str:
    numbers = ""
    if file.score is not None:
        vector = f", meaning {file.vector:.3f}" if file.vector is not None else ""
        picture = ", read from a picture" if file.from_picture else ""
        numbers = f"  (best passage: rank {file.rank}, words {file.bm25 or 0:.2f}{vector}{picture})"
    mark = "+" if file.used else "-"
    return f"{mark} {file.file}: {file.reason}{numbers}"
