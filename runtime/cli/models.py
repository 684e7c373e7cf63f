"""Models: those on this disk, of other programs too; pulling one from a hub; converting an embedder for llama.cpp."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from satchel.runtime.cli.terminal import Terminal
from satchel.runtime.paths import Home, find_home

if TYPE_CHECKING:
    from satchel.runtime.commands.models_find import FoundReport
    from satchel.runtime.commands.models_list import ListedModel, ModelList
    from satchel.runtime.commands.models_pull import Offer, PulledReport

_FITS = {"yes": "fits", "tight": "tight", "no": "too large", "unknown": "fits?"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="all models that can speak here, and what could be pulled")
    pull = actions.add_parser("pull", help="get a model from a hub, once you asked for it")
    pull.add_argument("model", metavar="MODEL", help="a name that `list` shows, or hub:OWNER/REPOSITORY/FILE.gguf")
    pull.add_argument("--accept-licence", action="store_true", help="accept a licence that is none of the usual ones")
    find = actions.add_parser("find", help="look through other programs' folders for models")
    remove = actions.add_parser("remove", help="remove a model that Satchel pulled")
    remove.add_argument("model", metavar="MODEL", help="a name that `list` shows")
    convert = actions.add_parser("convert-embedder", help="make the GGUF of a sentence-transformers model")
    convert.add_argument("folder", type=Path, metavar="FOLDER")
    convert.add_argument("-o", "--output", type=Path, metavar="FILE.gguf", help="(default: into the cache)")
    for action in (listing, pull, find, remove, convert):
        action.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Do the action."""
    match arguments.action:
        case "list":
            return _list(arguments, terminal)
        case "pull":
            return _pull(arguments, terminal)
        case "find":
            return _find(arguments, terminal)
        case "remove":
            return _remove(arguments, terminal)
    return _convert(arguments, terminal)


def _list(arguments: argparse.Namespace, terminal: Terminal) -> int:
    from satchel.runtime.commands.models_list import list_usable
    from satchel.runtime.settings import load_settings

    home = find_home()
    found = list_usable(home, load_settings(home.settings))
    if arguments.json:
        terminal.json(found)
        return 0
    for model in found.models:
        _print_model(model, terminal)
    if not found.models:
        terminal.note(f"No models in {found.folder} yet. `--model FILE.gguf` uses one where it lies.")
    if not found.starter.installed:
        terminal.print(f"{terminal.bold('starter')}  not installed")
        terminal.print(f"    {found.starter.how}")
    for pull in found.unfinished:
        terminal.print(f"unfinished: {pull.bytes / pull.size:.0%} of {pull.reference}; pulling it again goes on")
    if found.left_out:
        terminal.note(
            terminal.dim(f"{found.left_out} files that cannot speak are left out; `models find` and `doctor` say why.")
        )
    _print_catalogue(found, terminal)
    return 0


def _print_model(model: ListedModel, terminal: Terminal) -> None:
    from satchel.runtime.engine.sizes import in_words

    default = "  (default)" if model.default else ""
    terminal.print(f"{terminal.bold(model.name)}  {_FITS[model.fits]}{default}")
    kind = ", ".join(filter(None, (in_words(model.bytes), model.quantisation, model.architecture)))
    terminal.print(f"    {kind}, trained on {model.context:,} tokens; {'pulled' if model.pulled else model.source}")
    terminal.print(terminal.dim(f"    {model.why}"))
    terminal.print(terminal.dim(f"    {model.path}"))


def _print_catalogue(found: ModelList, terminal: Terminal) -> None:
    suggestions = [model for model in found.catalogue if not model.here]
    terminal.print(f"\nCan be pulled (list of {found.catalogue_made}; fits: an estimate):")
    for model in suggestions:
        size = f"{model.gigabytes:.2f} GB"
        terminal.print(
            f"  {model.name:<17}{size:>8}  {_FITS[model.fits]:<9}  {model.licence}, {model.context:,} tokens"
        )
        terminal.print(terminal.dim(f"      {model.good_at}"))
    terminal.print("  satchel models pull NAME, or hub:OWNER/REPOSITORY/FILE.gguf for any other")


def _pull(arguments: argparse.Namespace, terminal: Terminal) -> int:
    from satchel.runtime.commands.models_pull import find_offer, pull_model
    from satchel.runtime.settings import load_settings

    home = find_home()
    settings = load_settings(home.settings)
    offer = find_offer(arguments.model, home, settings)
    _show_offer(offer, terminal)
    accepted = arguments.accept_licence
    if not (offer.here or offer.is_free or accepted) and terminal.interactive:
        accepted = terminal.ask_yes(f"Read {offer.model.page} first. Do you accept this licence?")
    try:
        done = pull_model(
            offer, home, settings, accept_licence=accepted, progress=terminal.progress, note=terminal.note
        )
    except KeyboardInterrupt:
        terminal.note("\nWhat came is kept: the same command goes on from there.")
        raise
    terminal.end_progress()
    if arguments.json:
        terminal.json(done)
    else:
        _print_pulled(done, terminal)
    return 0


def _show_offer(offer: Offer, terminal: Terminal) -> None:
    from satchel.runtime.engine.sizes import in_words

    parts = f" in {len(offer.paths)} parts" if len(offer.paths) > 1 else ""
    terminal.note(f"{offer.name}: {in_words(offer.model.size)}{parts}, licence: {offer.licence}")
    terminal.note(f"  {offer.model.page}")


def _print_pulled(done: PulledReport, terminal: Terminal) -> None:
    if done.already_here:
        terminal.print(f"here already: {done.path}")
    else:
        resumed = " (went on from what was there)" if done.resumed_from else ""
        terminal.print(f"pulled: {done.path}{resumed}")
        terminal.print("  SHA-256 as the hub says" + "".join(f"\n  {value}" for value in done.sha256))
    if done.problem:
        terminal.note(f"But it cannot be talked to: {done.problem}")
    else:
        terminal.print(f"  satchel run PACK --model {_quoted(done)} QUESTION")


def _quoted(done: PulledReport) -> str:
    return f"'{done.name}'" if " " in done.name else done.name


def _find(arguments: argparse.Namespace, terminal: Terminal) -> int:
    from satchel.runtime.commands.models_find import find_others

    found = find_others(find_home(), progress=terminal.progress)
    terminal.end_progress()
    if arguments.json:
        terminal.json(found)
        return 0
    for model in found.models:
        _print_found(model, terminal)
    looked = [place for place in found.looked_in if place.exists]
    if not found.models:
        programs = ", ".join(dict.fromkeys(place.program for place in found.looked_in))
        terminal.note(f"No models of other programs are on this disk ({programs}).")
    for place in looked:
        terminal.note(terminal.dim(f"looked in {place.folder} ({place.program}): {place.models}"))
    return 0


def _print_found(model: FoundReport, terminal: Terminal) -> None:
    from satchel.runtime.engine.sizes import in_words

    terminal.print(f"{terminal.bold(model.name)}  {model.program}")
    parts = f" in {model.parts} parts" if model.parts > 1 else ""
    context = f"trained on {model.context:,} tokens" if model.context else ""
    kind = (f"{in_words(model.bytes)}{parts}", model.quantisation, model.architecture, context)
    terminal.print(f"    {', '.join(filter(None, kind))}")
    if model.problem:
        terminal.print(f"    cannot speak: {model.problem}")
    for path in (model.path, *model.also):
        terminal.print(terminal.dim(f"    {path}"))


def _remove(arguments: argparse.Namespace, terminal: Terminal) -> int:
    from satchel.runtime.commands.models_remove import remove_model
    from satchel.runtime.engine.sizes import in_words

    home: Home = find_home()
    done = remove_model(arguments.model, home)
    if arguments.json:
        terminal.json(done)
        return 0
    terminal.print(f"removed: {done.name}, {in_words(done.bytes)}")
    return 0


def _convert(arguments: argparse.Namespace, terminal: Terminal) -> int:
    from satchel.runtime.commands.convert_embedder import convert_embedder
    from satchel.runtime.packfile.limits import size_in_words

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
