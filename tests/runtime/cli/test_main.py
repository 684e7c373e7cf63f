"""`satchel VERB …`: which verb runs, what failures look like, and what each exit code means."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.project_folders import write_project
from helpers.python_processes import child_environment, run_python, run_satchel

from satchel.runtime.cli import main as cli
from satchel.runtime.cli.main import VERBS, main
from satchel.runtime.errors import CancelledError, CheckFailedError, SaveError, UsageError

START = "import sys; from satchel.runtime.cli.main import main; sys.exit(main())"


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., object]], None]:
    """Return what makes `satchel probe` a verb that does what a test wants."""

    def install(run: Callable[..., object]) -> None:
        module = types.ModuleType("satchel.runtime.cli.probe", "Probe what a verb can do.")
        module.__dict__["add_arguments"] = lambda parser: (
            parser.add_argument("--json", action="store_true"),
            parser.add_argument("--jobs", type=int),
            parser.add_argument("words", nargs="*"),
        )
        module.__dict__["run"] = run
        monkeypatch.setitem(sys.modules, "satchel.runtime.cli.probe", module)
        monkeypatch.setattr(cli, "VERBS", (*VERBS, ("probe", "probe", "probe")))

    return install


def failing(error: BaseException) -> Callable[..., int]:
    def run(_arguments: object, _terminal: object) -> int:
        raise error

    return run


def only_object(text: str) -> dict[str, object]:
    """Return the one JSON object that a text holds, in one line."""
    assert text.count("\n") == 1
    value = json.loads(text)
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize("given", [[], ["--help"], ["-h"], ["help"]])
def test_help_lists_every_verb(capsys, given):
    assert main(given) == 0

    said = capsys.readouterr().out
    for name, _, purpose in VERBS:
        assert name in said
        assert purpose in said


@pytest.mark.parametrize("name", [name for name, _, _ in VERBS])
def test_every_verb_explains_its_arguments(capsys, name):
    assert main([name, "--help"]) == 0

    said = capsys.readouterr()
    assert said.out.startswith(f"usage: satchel {name} ")
    assert said.err == ""


def test_an_unknown_verb_suggests_the_one_that_was_meant(capsys):
    assert main(["instal", "x"]) == 2

    said = capsys.readouterr().err
    assert 'satchel: there is no command "instal" (did you mean "install"?).\n  See `satchel --help`.' in said


def test_a_verb_like_no_other_gets_no_suggestion(capsys):
    assert main(["xyzzy"]) == 2

    said = capsys.readouterr()
    assert "did you mean" not in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    "given",
    [
        ["xyzzy", "--json"],
        ["--json"],
        ["new", "--json"],
        ["new", "a", "b", "--json"],
        ["new", "--json", "--colour", "red", "a"],
        ["new", "a", "--json", "--template"],
        ["add", "a", "--json"],
        ["add", "missing-project", "x", "--json"],
    ],
)
def test_with_json_a_failure_is_exactly_one_object_on_stdout(capsys, tmp_path, monkeypatch, given):
    monkeypatch.chdir(tmp_path)

    code = main(given)

    error = only_object(capsys.readouterr().out)["error"]
    assert isinstance(error, dict)
    assert sorted(error) == ["code", "exit_code", "message", "remedy"]
    assert error["exit_code"] == code != 0
    assert error["message"]
    assert error["remedy"]


@pytest.mark.parametrize("given", [["new"], ["new", "a", "b"], ["new", "--colour", "red", "a"], ["add", "a"]])
def test_wrong_arguments_are_told_with_the_help_of_their_command_on_stderr(capsys, given):
    assert main(given) == 2

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.endswith(f"  See `satchel {given[0]} --help`.\n")


def test_what_may_be_left_out_is_not_called_required(capsys):
    assert main(["run"]) == 2
    assert "are required: PACK_OR_FOLDER.\n" in capsys.readouterr().err


def test_wrong_use_that_a_command_finds_names_its_help(capsys, verb):
    verb(failing(UsageError(reason="the question is empty")))

    assert main(["probe", "--json"]) == 2
    assert "See `satchel probe --help`." in str(only_object(capsys.readouterr().out)["error"])


def test_a_wrong_value_names_its_argument(capsys, verb):
    verb(lambda _arguments, _terminal: 0)

    assert main(["probe", "--jobs", "many", "--json"]) == 2

    error = only_object(capsys.readouterr().out)["error"]
    assert "argument --jobs: invalid int value: 'many'" in str(error)


def test_options_cannot_be_abbreviated(capsys, verb):
    verb(lambda _arguments, _terminal: 0)

    assert main(["probe", "--js"]) == 2
    assert "unrecognized arguments: --js" in capsys.readouterr().err


def test_after_two_hyphens_everything_is_text(capsys, verb):
    seen: list[list[str]] = []

    def run(arguments: types.SimpleNamespace, _terminal: object) -> int:
        seen.append(arguments.words)
        assert not arguments.json
        raise CheckFailedError(reason="no")

    verb(run)

    assert main(["probe", "--", "--json", "--help", "-x"]) == 1
    assert seen == [["--json", "--help", "-x"]]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CheckFailedError(reason="two cases failed"), 1),
        (SaveError(path="a.pack", reason="no space left on device"), 61),
        (CancelledError(), 130),
        (KeyboardInterrupt(), 130),
        (PermissionError(13, "Permission denied", "/etc/shadow"), 65),
        (RuntimeError("boom"), 3),
    ],
)
@pytest.mark.parametrize("with_json", [False, True])
def test_every_failure_has_its_exit_code_with_json_and_without(capsys, verb, error, code, with_json):
    verb(failing(error))

    assert main(["probe", *(["--json"] if with_json else [])]) == code

    said = capsys.readouterr()
    assert said.err
    if with_json:
        assert only_object(said.out)["error"]["exit_code"] == code
    else:
        assert said.out == ""


def test_an_error_is_told_with_its_remedy_and_without_a_traceback(capsys, verb):
    verb(failing(SaveError(path="a.pack", reason="no space left on device")))

    main(["probe"])

    assert capsys.readouterr().err == (
        "satchel: a.pack could not be saved: no space left on device.\n"
        "  Free some space or choose another place; what was there before is untouched.\n"
    )


def test_an_error_of_the_system_names_the_place(capsys, verb):
    verb(failing(PermissionError(13, "Permission denied", "/etc/shadow")))

    main(["probe"])

    said = capsys.readouterr().err
    assert said.startswith("satchel: /etc/shadow: permission denied.\n")
    assert "Traceback" not in said


def test_a_bug_is_told_with_its_traceback_and_the_wish_to_report_it(capsys, verb):
    verb(failing(RuntimeError("boom")))

    assert main(["probe", "--json"]) == 3

    said = capsys.readouterr()
    assert only_object(said.out)["error"]["code"] == "bug"
    assert "RuntimeError: boom" in said.err
    assert "report" in said.err


def test_names_in_an_error_cannot_move_the_cursor(capsys, verb):
    verb(failing(SaveError(path="\x1b[2Ja\u202e\r.pack", reason="x")))

    main(["probe"])

    assert "\\u001b[2Ja\\u202e\\u000d.pack" in capsys.readouterr().err


def test_a_verbs_own_exit_code_is_passed_on(verb):
    verb(lambda _arguments, _terminal: 17)

    assert main(["probe"]) == 17


def test_ctrl_c_says_what_became_of_the_work(capsys, verb):
    verb(failing(KeyboardInterrupt()))

    assert main(["probe", "--json"]) == 130

    said = capsys.readouterr()
    assert only_object(said.out)["error"]["code"] == "cancelled"
    assert "Cancelled" in said.err


def test_ctrl_c_in_a_real_process_exits_with_130(tmp_path):
    folder = write_project(tmp_path / "tutor")
    fifo = folder / "instructions.md"
    os.mkfifo(fifo)  # reading the project waits until somebody writes
    with (
        subprocess.Popen(
            [sys.executable, "-c", START, "add", str(folder), str(folder), "--json"],
            env=child_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
        fifo.open("w"),
    ):  # opens as soon as the other side reads
        process.send_signal(signal.SIGINT)
        said, complaints = process.communicate(timeout=30)

    assert process.returncode == 130, complaints
    assert only_object(said)["error"]["exit_code"] == 130
    assert "Traceback" not in complaints


@pytest.mark.parametrize("given", [["--help"], ["new", "--help"], ["new", "made", "--json"]])
def test_a_reader_who_has_gone_is_no_error(tmp_path, given):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        finished = subprocess.run(
            [sys.executable, "-c", START, *given],
            check=False,
            cwd=tmp_path,
            env=child_environment(),
            stderr=subprocess.PIPE,
            stdout=pipe,
            text=True,
        )

    assert (finished.returncode, finished.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux's device that is always full")
@pytest.mark.parametrize("given", [["--help"], ["new", "made", "--json"]])
def test_output_that_does_not_fit_is_an_error(tmp_path, given):
    with Path("/dev/full").open("wb") as full:
        finished = subprocess.run(
            [sys.executable, "-c", START, *given],
            check=False,
            cwd=tmp_path,
            env=child_environment(),
            stderr=subprocess.PIPE,
            stdout=full,
            text=True,
        )

    assert "no space left on device" in finished.stderr
    assert finished.returncode != 0


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_are_no_error(tmp_path, closed):
    finished = subprocess.run(
        ["sh", "-c", f'exec "$0" -c "$1" new made {closed}', sys.executable, START],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env=child_environment(),
        text=True,
    )

    assert finished.returncode == 0, finished.stderr
    assert (tmp_path / "made/assistant.toml").is_file()
    assert finished.stderr == ""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-16"])
def test_json_is_utf8_whatever_the_terminal_speaks(tmp_path, encoding):
    name = "Ebbe … 🌊"
    finished = subprocess.run(
        [sys.executable, "-c", START, "new", "made", "--name", name, "--json"],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env=child_environment({"PYTHONIOENCODING": encoding}),
    )

    assert json.loads(finished.stdout.decode())["name"] == name


def test_a_terminal_that_is_not_utf8_shows_what_it_can(tmp_path):
    finished = run_satchel(["new", "made", "--name", "Ebbe 🌊"], folder=tmp_path, extra={"PYTHONIOENCODING": "ascii"})

    assert finished.returncode == 0, finished.stderr
    assert "Ebbe \\U0001f30a" in finished.stdout


def test_a_name_that_is_no_text_is_one_json_object_all_the_same(tmp_path):
    odd = os.fsdecode(b"caf\xe9")

    made = run_satchel(["new", odd, "--json"], folder=tmp_path)
    again = run_satchel(["new", odd, "--json"], folder=tmp_path)

    assert only_object(made.stdout)["folder"] == odd
    assert again.returncode == 12
    assert odd in only_object(again.stdout)["error"]["message"]


def test_every_verb_has_a_module_with_its_two_functions_and_a_description():
    program = """
import importlib, sys
from satchel.runtime.cli.main import VERBS
for name, module, _ in VERBS:
    found = importlib.import_module(f"satchel.runtime.cli.{module}")
    assert callable(found.add_arguments) and callable(found.run) and found.__doc__, name
"""
    finished = run_python(program)

    assert finished.returncode == 0, finished.stderr
