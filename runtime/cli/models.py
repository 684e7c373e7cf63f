"""Models: `list` the language models on this disk, `convert-embedder` a sentence-transformers folder for llama.cpp."""

from __future__ import annotations

import argparse
from pathlib import Path

from satchel.runtime.cli.terminal import Terminal
from satchel.runtime.packfile.limits import size_in_words
from satchel.runtime.paths import find_home


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="language models on this disk")
    listing.add_argument("--json", action="store_true", help="print one JSON object")
    convert = actions.add_parser("convert-embedder", help="make the GGUF of a sentence-transformers model")
    convert.add_argument("folder", type=Path, metavar="FOLDER")
    convert.add_argument("-o", "--output", type=Path, metavar="FILE.gguf", help="(default: into the cache)")
    convert.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Do the action."""
    return _list(arguments, terminal) if arguments.action == "list" else _convert(arguments, terminal)


def _list(arguments: argparse.Namespace, terminal: Terminal) -> int:
    from satchel.runtime.engine.choice import list_models

    home = find_home()
    models = list_models(home)
    if arguments.json:
        terminal.json({"models": [{"name": model.name, "path": model.path} for model in models]})
        return 0
    if not models:
        terminal.note(f"No models in {home.models} yet. `--model FILE.gguf` uses one where it lies.")
    for model in models:
        terminal.print(f"{model.name}  {size_in_words(model.path.stat().st_size)}  {model.path}")
    return 0


def _convert(arguments: argparse.Namespace, terminal: Terminal) -> int:
    from satchel.runtime.commands.convert_embedder import convert_embedder

    done = convert_embedder(arguments.folder, find_home(), destination=arguments.output, progress=terminal.progress)
    terminal.end_progress()
    if arguments.json:
        terminal.json(done)
        return 0
    terminal.print(f"{done.path}: {size_in_words(done.bytes)}, {done.weight_type}, {done.fingerprint.name}")
    if done.lowest_cosine is None:
        terminal.note("sentence-transformers is not installed (extra `embed`), so the vectors were not compared.")
    else:
        terminal.print(f"  least cosine to sentence-transformers in float32: {done.lowest_cosine:.5f}")
    return 0
