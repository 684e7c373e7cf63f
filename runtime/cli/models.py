"""Models: `list` those on this disk, `convert-embedder` a sentence-transformers folder for llama.cpp."""

from __future__ import annotations

import argparse
from pathlib import Path

from satchel.runtime.cli.terminal import Terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="language models on this disk")
    listing.add_argument("--json", action="store_true", help="print one JSON object")
    convert = actions.add_parser("convert-embedder", help="make the GGUF of a sentence-transformers model")
    convert.add_argument("folder", type=Path, metavar="FOLDER")
    convert.add_argument("-o", "--output", type=Path, metavar="FILE.gguf", help="(default: FOLDER.gguf)")
    convert.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Do the action."""
    if arguments.action == "list":
        return _list(arguments, terminal)
    return _convert(arguments, terminal)
