"""`satchel models` from outside: what is printed, the JSON, the exit codes, and how a pull is interrupted."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers.local_hub import REPOSITORY, LocalHub, local_hub
from helpers.model_folders import model_bytes, write_file, write_ollama
from helpers.python_processes import child_environment, wait_until

from satchel.runtime.cli.main import main
from satchel.runtime.paths import Home

REFERENCE = f"hub:{REPOSITORY}/Tiny-1B-Q8_0.gguf"
START = "import sys; from satchel.runtime.cli.main import main; sys.exit(main())"


@pytest.fixture
def hub(home: Home) -> Iterator[LocalHub]:
    """A hub that this person's settings name."""
    with local_hub() as running:
        running.add("Tiny-1B-Q8_0.gguf", model_bytes())
        write_file(home.settings / "settings.toml", f'hub_endpoints = ["{running.url}"]\n')
        yield running


@pytest.fixture
def person(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "person"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    return folder


@pytest.fixture
def at_a_terminal(type_in, monkeypatch) -> Callable[[str], None]:
    """Return what sits a person in front of the command, who types a text."""

    def sit(text: str) -> None:
        type_in(text)
        monkeypatch.setattr("sys.stdin.isatty", lambda: True)
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)

    return sit


def error_of(capsys) -> dict:
    (line,) = capsys.readouterr().out.splitlines()
    return json.loads(line)["error"]


@pytest.mark.usefixtures("hub")
def test_the_licence_is_the_first_that_a_pull_says(capsys, home):
    assert main(["models", "pull", REFERENCE]) == 0
    said = capsys.readouterr()

    assert said.err.splitlines()[0].endswith("KiB, licence: apache-2.0")
    assert said.err.splitlines()[1].endswith(f"/{REPOSITORY}")
    assert said.out.startswith(f"pulled: {home.models / REPOSITORY / 'Tiny-1B-Q8_0.gguf'}\n")
    assert "satchel run PACK --model Tiny-1B-Q8_0 QUESTION" in said.out


@pytest.mark.usefixtures("hub")
def test_a_pull_prints_one_json_object(capsys):
    assert main(["models", "pull", REFERENCE, "--json"]) == 0
    pulled = json.loads(capsys.readouterr().out)

    assert set(pulled) == {
        *("name", "path", "paths", "bytes", "sha256", "licence", "repository", "commit", "endpoint"),
        *("already_here", "resumed_from", "problem"),
    }
    assert main(["models", "pull", REFERENCE]) == 0
    assert capsys.readouterr().out.startswith("here already: ")


def test_an_unusual_licence_needs_a_flag_where_nobody_can_be_asked(capsys, hub):
    hub.card = {"license": "other", "license_name": "gemma"}

    assert main(["models", "pull", REFERENCE, "--json"]) == 68
    assert error_of(capsys)["code"] == "licence-not-accepted"
    assert main(["models", "pull", REFERENCE, "--accept-licence"]) == 0


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 68), ("", 68)])
def test_a_person_is_asked_about_an_unusual_licence(capsys, hub, at_a_terminal, answer, code):
    hub.card = {"license": "gemma"}
    at_a_terminal(answer)

    assert main(["models", "pull", REFERENCE]) == code
    assert "Do you accept this licence? [y/N]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "code", "named"),
    [
        (["pull", "qwen3-4"], 42, "unknown-model"),
        (["pull", "hub:alone"], 2, "wrong-reference"),
        (["pull", f"hub:{REPOSITORY}"], 2, "wrong-reference"),
        (["pull", f"hub:{REPOSITORY}/x.gguf"], 42, "not-on-hub"),
        (["pull", "hub:no/body/x.gguf"], 42, "not-on-hub"),
        (["pull", "reader"], 2, "usage"),
        (["pull"], 2, "usage"),
        (["remove", "x"], 42, "not-pulled"),
        (["fetch"], 2, "usage"),
        (["list", "--all"], 2, "usage"),
    ],
)
@pytest.mark.usefixtures("hub")
def test_what_is_wrong_has_a_name_and_a_code(capsys, given, code, named):
    assert main(["models", *given, "--json"]) == code
    error = error_of(capsys)

    assert (error["code"], error["exit_code"]) == (named, code)
    assert error["remedy"]


def test_a_gated_model_has_a_code_of_its_own(capsys, hub):
    hub.rules.token = "hf_x"

    assert main(["models", "pull", REFERENCE]) == 67
    assert "accept the terms there" in capsys.readouterr().err


def test_no_network_has_a_code_of_its_own(capsys, home):
    write_file(home.settings / "settings.toml", 'hub_endpoints = ["http://127.0.0.1:9"]\n')

    assert main(["models", "pull", "qwen3-4b"]) == 66
    assert "127.0.0.1:9 cannot be reached" in capsys.readouterr().err


@pytest.mark.parametrize(
    "value", ['["file:///etc"]', '["huggingface.co"]', "[]", '["http://a:b@c"]', '"http://x"', "7"]
)
def test_an_address_that_is_none_is_told_with_the_key(capsys, home, value):
    write_file(home.settings / "settings.toml", f"hub_endpoints = {value}\n")

    assert main(["models", "pull", "qwen3-4b", "--json"]) == 63
    assert "hub_endpoints" in error_of(capsys)["message"]


def test_the_list_shows_models_then_what_can_be_pulled(capsys, home, person):
    write_file(home.models / "mine.gguf", model_bytes())
    write_ollama(person / ".ollama/models", "llama3.2:3b", model_bytes(2))

    assert main(["models", "list"]) == 0
    said = capsys.readouterr().out
    assert [line.split("  ")[0] for line in said.split("\nCan be pulled")[0].splitlines() if line[0] != " "] == [
        "starter",
        "mine",
        "llama3.2:3b",
    ]
    assert "qwen3-4b" in said.split("Can be pulled")[1]


def test_the_list_is_one_json_object(capsys):
    assert main(["models", "list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)

    assert set(found) == {
        *("models", "left_out", "unfinished", "starter", "folder", "catalogue_made", "catalogue_how", "catalogue"),
    }
    assert found["models"][0]["name"] == "starter"
    assert {"name", "path", "source", "bytes", "fits", "why", "quantisation"} <= set(found["models"][0])


def test_find_says_where_it_looked(capsys, person):
    assert main(["models", "find"]) == 0
    assert "No models of other programs are on this disk (Ollama, LM Studio, Jan, GPT4All" in capsys.readouterr().err
    write_ollama(person / ".ollama/models", "llama3.2:3b", model_bytes())

    assert main(["models", "find"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("llama3.2:3b  Ollama\n")
    assert f"looked in {person / '.ollama/models'} (Ollama): 1" in said.err
    assert main(["models", "find", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["models"][0]["name"] == "llama3.2:3b"


@pytest.mark.usefixtures("hub")
def test_a_pulled_model_can_be_removed(capsys):
    main(["models", "pull", REFERENCE])
    capsys.readouterr()

    assert main(["models", "remove", "Tiny-1B-Q8_0"]) == 0
    assert capsys.readouterr().out.startswith("removed: Tiny-1B-Q8_0, ")
    assert main(["models", "remove", "Tiny-1B-Q8_0"]) == 42


@pytest.fixture
def half_pulled(home, hub) -> Iterator[subprocess.Popen[str]]:
    """A process that pulls and has got 4,000 bytes, when the hub hangs."""
    hub.rules.stall_after = 4000
    partial = home.models / REPOSITORY / "Tiny-1B-Q8_0.gguf.partial"
    with subprocess.Popen(
        [sys.executable, "-c", START, "models", "pull", REFERENCE, "--json"],
        env=child_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_until(lambda: partial.exists() and partial.stat().st_size == 4000)
        yield process
        process.kill()


def goes_on(capsys, hub: LocalHub) -> bool:
    """Tell whether the next pull takes up the 4,000 bytes."""
    hub.release()
    hub.rules.stall_after = None
    assert main(["models", "pull", REFERENCE, "--json"]) == 0
    return json.loads(capsys.readouterr().out)["resumed_from"] == 4000


def test_ctrl_c_in_a_pull_keeps_what_came_and_the_next_goes_on(capsys, half_pulled, hub):
    half_pulled.send_signal(signal.SIGINT)
    said, complaints = half_pulled.communicate(timeout=30)

    assert half_pulled.returncode == 130
    assert json.loads(said)["error"]["code"] == "cancelled"
    assert "What came is kept: the same command goes on from there." in complaints
    assert main(["models", "list"]) == 0
    assert f"of {REFERENCE}; pulling it again goes on" in capsys.readouterr().out
    assert goes_on(capsys, hub)


def test_a_killed_pull_keeps_what_came_too(capsys, half_pulled, hub):
    half_pulled.kill()
    half_pulled.communicate(timeout=30)

    assert goes_on(capsys, hub)


@pytest.mark.usefixtures("half_pulled")
def test_a_second_process_is_told_that_it_is_being_pulled(capsys, hub):
    hub.rules.stall_after = None

    assert main(["models", "pull", REFERENCE, "--json"]) == 62
    assert error_of(capsys)["code"] == "busy"
    hub.release()
