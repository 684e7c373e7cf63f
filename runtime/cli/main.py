"""`satchel VERB …`: finds the verb's module, imports it alone, and turns errors into a message and an exit code."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from satchel.runtime.errors import SatchelError

# Verb, its module under `cli/`, and what `satchel --help` says. Modules are imported only when their verb is used.
VERBS = (
    ("new", "new", "make an assistant's folder from a template"),
    ("add", "add", "add knowledge files to a folder"),
    ("index", "index", "read a folder's files and make them searchable"),
    ("build", "build", "seal a folder into one .pack file"),
    ("unpack", "unpack", "turn a pack into an editable folder"),
    ("run", "run", "ask one question, or many with --batch"),
    ("chat", "chat", "talk, with history, editing and branches"),
    ("search", "search", "show which passages a question finds, and why"),
    ("inspect", "inspect", "show what a pack holds and asks for"),
    ("verify", "verify", "check every byte of a pack"),
    ("install", "install", "check a pack and keep it in the store"),
    ("list", "list_packs", "list installed packs"),
    ("remove", "remove", "remove an installed pack"),
    ("rollback", "rollback", "go back to an earlier version of a pack"),
    ("grant", "grant", "show and change what an assistant may do"),
    ("keys", "keys", "keep the secrets that an assistant's services want, or sign in there"),
    ("eval", "evaluate", "run an assistant's saved cases"),
    ("models", "models", "list, find, pull and remove models; convert an embedder"),
    ("doctor", "doctor", "show devices, models and the plan for this machine"),
    ("gui", "gui", "open the desktop app"),
)

# What these have embedded when Ctrl-C comes is not done again.
RESUMABLE = frozenset({"index", "build"})

INTERRUPTED = 130
BUG = 3


class _Parser(argparse.ArgumentParser):
    """Raises instead of exiting, so that `--json` gets its error object for wrong arguments too."""

    def __init__(self, **options: Any) -> None:
        # No abbreviations: `--js` would switch on what `main` has not seen, and break with the next new option.
        super().__init__(allow_abbrev=False, **options)
        self._has_actions = False

    def add_subparsers(self, **options: Any) -> Any:
        """Note that the verb has actions of its own, whose arguments cannot stand anywhere."""
        self._has_actions = True
        return super().add_subparsers(**options)

    def parse_anywhere(self, arguments: list[str]) -> argparse.Namespace:
        """Parse, with options before, between and after the words of a question; after `--` all is text."""
        plain = self._has_actions or "--" in arguments
        return self.parse_args(arguments) if plain else self.parse_intermixed_args(arguments)

    def error(self, message: str) -> NoReturn:
        from satchel.runtime.errors import UsageError

        raise UsageError(reason=message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; the entry point of `satchel`."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    # Before parsing, because the parser itself may fail; after `--`, it is somebody's text.
    options = given[: given.index("--")] if "--" in given else given
    wants_json = "--json" in options
    _prepare_streams(utf8=wants_json or "--events" in options)
    try:
        code = _run(given)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _report_interrupt(resumes=not RESUMABLE.isdisjoint(given[:1]), wants_json=wants_json)
    except BrokenPipeError:
        # The reader of our output has gone (`satchel list | head -1`); Python would complain again at exit.
        sys.stdout = None  # the documented way to silence the last flush
        return 0
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes a message and an exit code
        from satchel.runtime.errors import SatchelError

        if isinstance(error, OSError):
            from satchel.runtime.errors import MachineError

            error = MachineError(place=error.filename or "this machine", reason=(error.strerror or str(error)).lower())
        if isinstance(error, SatchelError):
            return _report(error, wants_json=wants_json)
        return _report_bug(error, wants_json=wants_json)
    return code


def _prepare_streams(*, utf8: bool) -> None:
    """Make the standard streams take any text: JSON is UTF-8 everywhere, a person's terminal shows what it can."""
    import io
    import os

    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by who started us, as some daemons do
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123 - lives as long as the process
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8" if utf8 else None, errors="backslashreplace")


def _run(given: list[str]) -> int:
    if not given or given[0] in {"-h", "--help", "help"}:
        sys.stdout.write(_help())
        return 0
    if given[0] in {"-V", "--version"}:
        from importlib.metadata import version

        sys.stdout.write(f"satchel {version('satchel-assistants')}\n")
        return 0
    return _run_verb(given[0], given[1:])


def _run_verb(verb: str, rest: list[str]) -> int:
    import importlib

    from satchel.runtime.errors import UsageError

    modules = {name: module for name, module, _ in VERBS}
    if verb not in modules:
        from difflib import get_close_matches

        near = get_close_matches(verb, modules, n=1)
        guess = f' (did you mean "{near[0]}"?)' if near else ""
        raise UsageError(reason=f'there is no command "{verb}"{guess}')
    from satchel.runtime.cli.terminal import Terminal

    module: Any = importlib.import_module(f"satchel.runtime.cli.{modules[verb]}")
    parser = _Parser(prog=f"satchel {verb}", description=module.__doc__)
    module.add_arguments(parser)
    try:
        try:
            parsed = parser.parse_anywhere(rest)
        except SystemExit:  # after --help; what is wrong is raised
            return 0
        code: int = module.run(parsed, Terminal())
    except UsageError as error:
        error.fields["verb"] = verb
        raise
    return code


def _report(error: SatchelError, *, wants_json: bool) -> int:
    if wants_json:
        _print_error(error.as_object())
    from satchel.runtime.cli.terminal import escape_control

    sys.stderr.write(f"satchel: {escape_control(error.message)}\n")
    if error.advice:
        sys.stderr.write(f"  {escape_control(error.advice)}\n")
    return error.exit_code


def _report_bug(error: Exception, *, wants_json: bool) -> int:
    import traceback

    remedy = "Please report this with the command that you ran."
    if wants_json:
        message = f"{type(error).__name__}: {error}"
        _print_error({"code": "bug", "message": message, "remedy": remedy, "exit_code": BUG})
    from satchel.runtime.cli.terminal import escape_control

    told = "".join(traceback.format_exception(error))
    sys.stderr.write(escape_control(f"{told}satchel: this is a bug in Satchel.\n  {remedy}\n"))
    return BUG


def _report_interrupt(*, resumes: bool, wants_json: bool) -> int:
    if wants_json:
        from satchel.runtime.errors import CancelledError

        _print_error(CancelledError().as_object())
    kept = "; what was done is kept, and running the command again goes on from there" if resumes else ""
    sys.stderr.write(f"\nCancelled{kept}.\n")
    return INTERRUPTED


def _print_error(error: dict[str, str | int]) -> None:
    import json

    # Escaped, because a path in it may hold bytes that are no text.
    try:
        sys.stdout.write(json.dumps({"error": error}) + "\n")
        sys.stdout.flush()
    except OSError:
        # A full disk, or a reader who has gone: standard error tells it, and Python need not try again at exit.
        sys.stdout = None


def _help() -> str:
    width = max(len(name) for name, _, _ in VERBS)
    verbs = "\n".join(f"  {name:<{width}}  {says}" for name, _, says in VERBS)
    return f"""\
usage: satchel COMMAND ...

Assistants with your own knowledge, each in one file, on your own computer.

{verbs}

satchel COMMAND --help tells the rest. Set SATCHEL_HOME to keep everything in a folder of your choice.
"""


if __name__ == "__main__":
    sys.exit(main())
