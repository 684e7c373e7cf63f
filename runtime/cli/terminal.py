"""Where a command's output goes: results to standard output, everything else to standard error."""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import re
import sys
import unicodedata
from typing import Any

from satchel.runtime.progress import SILENT, Progress

_BOLD, _DIM, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"
_STYLE = re.compile(r"(\x1b\[[012]m)")


class Terminal:
    """The command's way to talk; colours and bars only where a person watches, and never with `NO_COLOR`."""

    def __init__(self) -> None:
        self.interactive = sys.stdin.isatty() and sys.stdout.isatty()
        self._colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self._bar: Any = None

    def print(self, text: str = "", *, end: str = "\n") -> None:
        """Write a part of the result."""
        sys.stdout.write(self._harmless(text) + end)
        sys.stdout.flush()

    def print_text(self, text: str) -> None:
        """Write a file's text: to a pipe as it is, because offsets count its characters."""
        if sys.stdout.isatty():
            text = escape_control(text)
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """Write something that is no result: a warning, what happens next."""
        self.end_progress()
        sys.stderr.write(self._harmless(text) + "\n")

    def json(self, value: Any) -> None:
        """Write one JSON value on a line (msgspec structs, dataclasses and plain values)."""
        import msgspec

        try:
            text = msgspec.json.encode(value, enc_hook=str).decode()
        except UnicodeEncodeError:  # a path with bytes that are no text; only the standard library escapes them
            import json

            text = json.dumps(msgspec.to_builtins(value, enc_hook=str))
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def ask_yes(self, question: str) -> bool:
        """Ask a person; anything but yes is no."""
        return self.ask(f"{question} [y/N]").strip().casefold() in {"y", "yes"}

    def ask(self, question: str) -> str:
        """Ask a person for a line; empty at the end of the input.

        What was typed or pasted before the question was shown is no answer to it: a pasted page may hold "always".
        """
        self.end_progress()
        _forget_typed_ahead()
        sys.stderr.write(f"{escape_control(question)} ")
        sys.stderr.flush()
        return sys.stdin.readline().removesuffix("\n")

    def ask_secret(self, question: str) -> str:
        """Ask for a line that is not shown; from a pipe, its first line."""
        self.end_progress()
        if not sys.stdin.isatty():
            return sys.stdin.readline().rstrip("\r\n")
        from getpass import getpass

        return getpass(f"{escape_control(question)} ", stream=sys.stderr)

    def bold(self, text: str) -> str:
        """Return text in bold where colours are shown."""
        return f"{_BOLD}{text}{_RESET}" if self._colour else text

    def dim(self, text: str) -> str:
        """Return faint text where colours are shown."""
        return f"{_DIM}{text}{_RESET}" if self._colour else text

    @property
    def progress(self) -> Progress:
        """A progress bar on standard error; silent where that is no terminal."""
        return self._show if sys.stderr.isatty() else SILENT

    def end_progress(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _harmless(self, text: str) -> str:
        """Escape all but our own two styles, here and not in each verb: names of packs and files are in every text."""
        if not self._colour:
            return escape_control(text)
        return "".join(
            piece if is_style else escape_control(piece)
            for is_style, piece in zip(itertools.cycle((False, True)), _STYLE.split(text), strict=False)
        )

    def _show(self, stage: str, done: int, total: int | None) -> None:
        stage = escape_control(stage)  # it names files
        begins = self._bar is None or self._bar.desc != stage
        if begins:
            self.end_progress()
            from tqdm import tqdm

            style = _BAR if total else _COUNTER
            self._bar = tqdm(desc=stage, total=total, leave=False, bar_format=style, file=sys.stderr)
        self._bar.n = done
        # Drawn at once when a stage begins, which may be its only call for a while, and when it ends.
        self._bar.refresh() if begins or (total and done >= total) else self._bar.update(0)


def _forget_typed_ahead() -> None:
    if sys.stdin.isatty():
        # Where the system has no such terminals, or this one is no file.
        with contextlib.suppress(ImportError, io.UnsupportedOperation):
            import termios

            termios.tcflush(sys.stdin, termios.TCIFLUSH)


_BAR = "{desc} {bar:24} {n_fmt}/{total_fmt} {remaining} left"
_COUNTER = "{desc} {n_fmt}"


def in_number(count: int, word: str) -> str:
    """Return "1 passage", "2,000 passages"."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def escape_control(text: str) -> str:
    """Make control, bidi and undecodable characters of foreign text visible: a file name must not move the cursor."""
    return "".join(character if character.isprintable() else _visible(character) for character in text)


def _visible(character: str) -> str:
    if character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cf", "Cs"}:
        return character
    # The zero-width joiners belong to the spelling of several scripts and to emoji.
    return character if character in "\u200c\u200d" else f"\\u{ord(character):04x}"
