"""The arguments that `run`, `chat` and `eval` share: which model speaks, and how."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from satchel.runtime.errors import UsageError

if TYPE_CHECKING:
    from satchel.runtime.commands.answer import AnswerOptions

# As `assistant.toml` has them.
_MOST_TEMPERATURE = 5
_LARGEST_SEED = 2**32 - 1
LARGEST_CONTEXT = 2**24


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe what `run`, `chat` and `eval` share: which model speaks, and how."""
    parser.add_argument(
        "--model", metavar="M", help="a .gguf file, a model's name, `starter`, or `reader` (always quotes)"
    )
    parser.add_argument(
        "--gpu-layers", metavar="N", default="auto", help="layers on the GPU: a number or auto (default)"
    )
    parser.add_argument(
        "--context", type=int, metavar="TOKENS", help="size of the window (default: what this machine holds)"
    )
    parser.add_argument("--temperature", type=float, metavar="T", help="0 to 5; 0 is the most likely word each time")
    parser.add_argument("--seed", type=int, metavar="N", help="the same seed gives the same answer")
    parser.add_argument("--no-history", action="store_true", help="keep nothing of this conversation")


def add_tool_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe what `run` and `chat` share: what tools are given."""
    parser.add_argument(
        "--folder", type=Path, action="append", default=[], metavar="DIR", help="let the tool `files` read this folder"
    )
    parser.add_argument(
        "--write-folder", type=Path, action="append", default=[], metavar="DIR", help="let it write there as well"
    )
    parser.add_argument("--artefacts", type=Path, metavar="DIR", help="keep the files that tools make here")


def options_from(arguments: argparse.Namespace, *, can_ask: bool = False) -> AnswerOptions:
    """Return the shared options of a parsed command line; `can_ask`: a person is there who answers requests."""
    # Here, because `satchel run` starts its knowledge worker before it imports a session.
    from satchel.runtime.commands.answer import AnswerOptions
    from satchel.runtime.session.choosing import ModelRequest

    check_range("--temperature", arguments.temperature, 0, _MOST_TEMPERATURE)
    check_range("--seed", arguments.seed, 0, _LARGEST_SEED)
    check_range("--context", arguments.context, 0, LARGEST_CONTEXT)
    readable, writable = getattr(arguments, "folder", []), getattr(arguments, "write_folder", [])
    _by_name([*readable, *writable])  # one name for two folders is refused, whichever option gives them
    return AnswerOptions(
        model=ModelRequest(
            reference=arguments.model,
            gpu_layers=parse_gpu_layers(arguments.gpu_layers),
            context=arguments.context,
            temperature=arguments.temperature,
            seed=arguments.seed,
        ),
        keep_history=not arguments.no_history,
        can_ask=can_ask,
        folders=_by_name(readable),
        writable_folders=_by_name(writable),
        artefacts=getattr(arguments, "artefacts", None),
    )


def _by_name(folders: list[Path]) -> dict[str, Path]:
    """Return folders by their own names, by which the assistant knows them.

    Raises:
        UsageError: one is not there or has no name, or two have one name.
    """
    named: dict[str, Path] = {}
    for folder in folders:
        path = folder.resolve()
        if not path.is_dir():
            raise UsageError(reason=f"there is no folder {folder}")
        if not path.name:
            raise UsageError(reason=f"{folder} is a whole disk: the assistant would know it by no name")
        if named.setdefault(path.name, path) != path:
            raise UsageError(reason=f'two folders are called "{path.name}"')
    return named


def check_range(option: str, given: float | None, least: int, most: int) -> None:
    """Refuse a number outside of its range; None was not given.

    Raises:
        UsageError: names the option and the range.
    """
    # Not "given < least or …": NaN is no number of the range either.
    if given is not None and not least <= given <= most:
        raise UsageError(reason=f"{option} takes a number from {least} to {most}, not {given}")


def parse_gpu_layers(text: str) -> int | None:
    """Return the number that `--gpu-layers` gives; None for auto."""
    if text == "auto":
        return None
    if not text.isdecimal():
        raise UsageError(reason=f'--gpu-layers takes a number or "auto", not "{text}"')
    return int(text)
