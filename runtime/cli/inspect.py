"""Show what a pack holds, knows and asks for; nothing is run or installed."""

from __future__ import annotations

import argparse
import shlex

from satchel.runtime.cli.terminal import Terminal, in_number
from satchel.runtime.commands.inspect import FileDescription, PackDescription, inspect, inspect_text
from satchel.runtime.commands.pack_file import pack_file
from satchel.runtime.packfile.limits import size_in_words
from satchel.runtime.paths import find_home


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("pack", metavar="PACK", help="a .pack file, or an installed pack")
    parser.add_argument("--text", metavar="FILE", help="print a knowledge file's whole extracted text")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Print the description, or the text."""
    path = pack_file(arguments.pack, find_home())
    if arguments.text is not None:
        text = inspect_text(path, arguments.text)
        if arguments.json:
            terminal.json({"file": arguments.text, "text": text})
        else:
            terminal.print_text(text)
        return 0
    found = inspect(path)
    if arguments.json:
        terminal.json(found)
        return 0
    _print_identity(found, terminal)
    _print_knowledge(found, terminal)
    _print_requests(found, terminal)
    return 0


def _print_identity(found: PackDescription, terminal: Terminal) -> None:
    identity = found.identity
    by = f" by {identity.author}" if identity.author else ""
    terminal.print(f"{terminal.bold(identity.name)} {identity.version}{by}")
    if found.persona.description:
        terminal.print(f"  {found.persona.description}")
    for starter in found.persona.starters:
        terminal.print(f"  > {starter}")
    terminal.print(f"\nfile       {found.path}, {size_in_words(found.size)}, format {found.format}, {found.signature}")
    terminal.print(f"checked    its list and sizes only; every byte: satchel verify {shlex.quote(str(found.path))}")
    terminal.print(f"pack id    {found.pack_id}")
    terminal.print(f"identity   {identity.id}")
    models = ", ".join(model.name for model in found.models)
    terminal.print(f"models     {models or 'no preference'}")
    if found.attribution:
        terminal.print(f"licence    {found.attribution.strip()}")


def _print_knowledge(found: PackDescription, terminal: Terminal) -> None:
    if not found.files:
        terminal.print("\nIt knows no files.")
        return
    embedder = found.embedder.name if found.embedder else "none: keyword search only"
    counts = f"{in_number(len(found.files), 'file')}, {in_number(found.passages, 'passage')}"
    terminal.print(f"\n{counts}; embedder {embedder}")
    for file in found.files:
        terminal.print(f"  {_file_line(file)}")


def _file_line(file: FileDescription) -> str:
    said = [in_number(file.pages, "page") if file.pages else ""]
    said += [f"{file.picture_pages} of them read from pictures" if file.picture_pages else ""]
    said += [in_number(file.passages, "passage"), file.language]
    said += ["trusted" if file.trusted else "", "nothing secret" if file.public else ""]
    said += ["" if file.source_included else "without its source", file.problem]
    return f"{file.name}: {', '.join(part for part in said if part)}"


def _print_requests(found: PackDescription, terminal: Terminal) -> None:
    if not any(tool.requests for tool in found.tools):
        terminal.print("\nIt asks for nothing: it can only answer.")
        return
    terminal.print("\nIt asks to:")
    for tool in found.tools:
        for words in tool.in_words:
            terminal.print(f"  {tool.name}: {words}")
