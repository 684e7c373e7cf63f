"""Results on standard output, all else on standard error, and bars only where a person watches."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import termios
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from helpers.python_processes import child_environment
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.cli.terminal import Terminal, escape_control


def in_a_terminal(
    program: str, *, typed: str = "", typed_before: str = "", after: str = "", extra: dict[str, str] | None = None
) -> str:
    """Run a program whose three streams are one terminal, and return all that it showed.

    `typed_before` is there when it starts, `typed` comes once it has shown `after`.
    """
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))  # a bar needs room to be drawn in
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env=child_environment({"TERM": "xterm", **(extra or {})}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        os.write(ours, typed_before.encode())
        shown = b""
        try:
            while piece := os.read(ours, 65536):
                shown += piece
                if typed and after.encode() in shown:
                    os.write(ours, typed.encode())
                    typed = ""
        except OSError:  # Linux's way to say that the other end has closed
            pass
    os.close(ours)
    assert process.returncode == 0, shown.decode()
    return shown.decode()


BAR = """
from satchel.runtime.cli.terminal import Terminal
terminal = Terminal()
progress = terminal.progress
for done in range(1, 4):
    progress("reading tides.pdf", done, 3)
progress("embedding", 7, None)
terminal.note("a note")
terminal.print("the result")
"""


def test_a_bar_is_drawn_where_a_person_watches_and_taken_away_after():
    shown = in_a_terminal(BAR)

    assert "reading tides.pdf" in shown
    assert "3/3" in shown
    assert "embedding 7" in shown
    last_lines = shown.replace("\r", "\n").split("\n")
    assert "a note" in last_lines
    assert "the result" in last_lines


def test_a_bar_is_silent_where_nobody_watches():
    finished = subprocess.run(
        [sys.executable, "-c", BAR + "import sys; assert 'tqdm' not in sys.modules"],
        capture_output=True,
        check=False,
        env=child_environment(),
        text=True,
    )

    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "the result\n", "a note\n")


def test_a_file_name_in_a_bar_cannot_move_the_cursor():
    shown = in_a_terminal(BAR.replace("tides.pdf", "\\\\x1b]0;evil\\\\x07.pdf").replace("\\\\x", "\\x"))

    assert "\x1b]0;evil" not in shown
    assert "\\u001b]0;evil\\u0007.pdf" in shown


STYLES = """
from satchel.runtime.cli.terminal import Terminal
terminal = Terminal()
print(repr(terminal.bold("b") + terminal.dim("d")), terminal.interactive)
"""


def test_a_terminal_has_colours_and_a_person():
    assert in_a_terminal(STYLES).strip() == repr("\x1b[1mb\x1b[0m\x1b[2md\x1b[0m") + " True"


def test_no_color_is_respected():
    assert in_a_terminal(STYLES, extra={"NO_COLOR": "1"}).strip() == "'bd' True"


def test_a_pipe_has_neither_colours_nor_a_person(capsys):
    terminal = Terminal()

    terminal.print(terminal.bold("b") + terminal.dim("d"))

    assert capsys.readouterr().out == "bd\n"
    assert not terminal.interactive


def test_whatever_is_printed_or_noted_cannot_steer_the_terminal(capsys):
    terminal = Terminal()

    terminal.print("a\x1b]0;evil\x07.pdf")
    terminal.note("\x1b[2J is not there")

    said = capsys.readouterr()
    assert said.out == "a\\u001b]0;evil\\u0007.pdf\n"
    assert said.err == "\\u001b[2J is not there\n"


def test_in_colour_only_our_own_styles_reach_the_terminal():
    shown = in_a_terminal(
        "from satchel.runtime.cli.terminal import Terminal\n"
        "terminal = Terminal()\n"
        "terminal.print(terminal.bold('a\\x1b[31m') + '\\x1b[2J')"
    )

    assert shown == "\x1b[1ma\\u001b[31m\x1b[0m\\u001b[2J\r\n"


TEXT = """
from satchel.runtime.cli.terminal import Terminal
Terminal().print_text("soft\\xadhyphen \\x1b[2J\\n")
"""


def test_a_files_text_is_exact_in_a_pipe_and_harmless_in_a_terminal(capsys):
    Terminal().print_text("soft\xadhyphen \x1b[2J\n")

    assert capsys.readouterr().out == "soft\xadhyphen \x1b[2J\n"
    assert in_a_terminal(TEXT) == "soft\\u00adhyphen \\u001b[2J\r\n"


@pytest.mark.parametrize(
    ("typed", "agreed"), [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("yep\n", False)]
)
def test_anything_but_yes_is_no(typed, agreed):
    shown = in_a_terminal(
        "from satchel.runtime.cli.terminal import Terminal\nprint(Terminal().ask_yes('Remove its chats too?'))",
        typed=typed,
        after="[y/N]",
    )

    assert "Remove its chats too? [y/N]" in shown
    assert shown.strip().endswith(str(agreed))


def test_what_was_pasted_before_a_question_was_shown_is_no_answer_to_it():
    shown = in_a_terminal(
        "from satchel.runtime.cli.terminal import Terminal\nprint(Terminal().ask_yes('Sure?'))",
        typed_before="y\n",
        typed="n\n",
        after="[y/N]",
    )

    assert shown.strip().endswith("False")


def test_the_end_of_the_input_is_no(capsys, monkeypatch, tmp_path):
    (tmp_path / "empty").touch()
    with (tmp_path / "empty").open() as empty:
        monkeypatch.setattr(sys, "stdin", empty)

        assert not Terminal().ask_yes("Sure?")

    assert capsys.readouterr().out == ""


class Point(msgspec.Struct, frozen=True):
    x: int
    place: Path


@dataclass(frozen=True)
class Line:
    points: tuple[Point, ...]
    label: str | None


@pytest.mark.parametrize("label", ["Ebbe 🌊\n", None, "caf\udce9"])
def test_json_takes_structs_dataclasses_and_paths_in_one_line(capsys, label):
    Terminal().json(Line((Point(1, Path("a/b")),), label))

    said = capsys.readouterr().out
    assert said.endswith("\n")
    assert said.count("\n") == 1
    assert json.loads(said) == {"points": [{"x": 1, "place": "a/b"}], "label": label}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, Ünïcödé, 潮, 🌊", "plain text, Ünïcödé, 潮, 🌊"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[2J", "\\u001b[2J"),
        ("\r\b\x00\x7f\x9b", "\\u000d\\u0008\\u0000\\u007f\\u009b"),
        ("gnp.\u202etxt", "gnp.\\u202etxt"),
        ("\u2066\u200e\ufeff", "\\u2066\\u200e\\ufeff"),
        ("caf\udce9", "caf\\udce9"),
        ("👩\u200d🔬 नी\u200c", "👩\u200d🔬 नी\u200c"),
    ],
)
def test_what_would_move_the_cursor_or_turn_the_text_is_made_visible(text, shown):
    assert escape_control(text) == shown


@given(st.text(st.characters(codec="utf-8") | st.characters(categories=["Cs", "Cc", "Cf"])))
def test_no_escaped_text_steers_a_terminal(text):
    escaped = escape_control(text)

    assert not set(escaped) & {"\x1b", "\r", "\b", "\x07", "\x9b", "\u202e", "\u2067"}
    escaped.encode()
    assert escape_control(escaped) == escaped
