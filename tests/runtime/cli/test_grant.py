"""`satchel grant` from outside."""

from __future__ import annotations

import json

import pytest
from helpers.packs import manifest, plain_entries

from satchel.runtime.cli.main import main
from satchel.runtime.packfile.schema_v1 import ToolUse
from satchel.runtime.packfile.writer import write_pack
from satchel.runtime.paths import HOME_VARIABLE

CALL = '{"name": "web_fetch", "arguments": {"address": "https://example.org/tides"}}'


@pytest.fixture
def pack(tmp_path, monkeypatch):
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    tools = (
        ToolUse(name="calculator", settings={}, requests=()),
        ToolUse(name="web_fetch", settings={}, requests=("net.fetch example.org",)),
    )
    return str(write_pack(tmp_path / "a.pack", manifest(tools=tools), plain_entries().items()).path)


def test_it_lists_what_is_asked_for_and_what_was_answered(pack, capsys):
    assert main(["grant", pack, "--allow", "calculator", "--never", "web_fetch"]) == 0

    assert capsys.readouterr().out == (
        "Tide tutor asks for:\n"
        "  granted     calculator: use calculator\n"
        "  never       web_fetch: read web pages from https://example.org\n"
    )


def test_a_standing_approval_is_shown_with_its_end(pack, capsys):
    assert main(["grant", pack, "--standing", "daily", "--call", CALL, "--until", "2999-12-31"]) == 0

    assert "standing    daily: web_fetch, until 2999-12-31" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--standing", "daily"], "needs --call and --until"),
        (["--standing", "daily", "--call", CALL, "--until", "tomorrow"], "takes a date"),
        (["--standing", "daily", "--call", CALL, "--until", "2999-12-31", "--free", "address"], "ARGUMENT=N"),
        (["--allow", "rocket"], "does not ask for"),
        (["--allow", "calculator", "--log"], "cannot be done at once"),
        (["--allow", "calculator", "--until", "2999-12-31"], "belong to --standing"),
        (["--as-own"], "no folder that was unpacked"),
    ],
)
def test_wrong_use_is_told(pack, capsys, given, says):
    assert main(["grant", pack, *given, "--json"]) == 2

    error = json.loads(capsys.readouterr().out)["error"]
    assert says in error["message"]


def test_the_log_shows_what_was_decided(pack, capsys):
    main(["grant", pack, "--allow", "all"])
    capsys.readouterr()

    assert main(["grant", pack, "--log"]) == 0

    said = capsys.readouterr().out
    assert "granted" in said
    assert "calculator, web_fetch: always: use calculator; read web pages from https://example.org" in said
