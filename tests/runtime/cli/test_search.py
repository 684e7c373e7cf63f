"""`satchel search`."""

from __future__ import annotations

import json

import pytest

from satchel.runtime.cli.main import main

pytestmark = pytest.mark.usefixtures("warm_home")
QUESTION = "At what water level does the flood gate close?"


def test_json_has_every_key_of_the_contract(capsys, harbour):
    assert main(["search", str(harbour.pack), QUESTION, "-k", "10", "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    first = found["passages"][0]
    assert {"file", "page", "start", "end", "text", "score", "bm25", "vector"} <= set(first)
    assert (first["file"], first["page"]) == ("gate.txt", None)
    assert isinstance(first["vector"], float)


def test_passages_are_shown_with_their_place_and_scores(capsys, harbour):
    assert main(["search", str(harbour.pack), *QUESTION.split(), "--no-gate", "-k", "5"]) == 0

    said = capsys.readouterr()
    assert said.out.startswith("[1] gate.txt  characters 0-")
    assert "handbook.pdf, p. 1  characters" in said.out
    assert "    The flood gate closes at a water level of 3.2 metres." in said.out
    assert "do not bear" not in said.err


def test_why_tells_of_every_file(capsys, harbour):
    assert main(["search", str(harbour.pack), QUESTION, "--why"]) == 0

    out = capsys.readouterr().out
    assert "\n+ gate.txt: used: its best passage is number 1 of all" in out
    assert out.count("\n- ") + out.count("\n+ ") == 5


def test_what_is_kept_back_is_counted(capsys, harbour):
    assert main(["search", str(harbour.pack), "Who painted the Mona Lisa?", "--file", "tides.md"]) == 0

    said = capsys.readouterr()
    assert said.out == "No passage bears on this question.\n"
    assert said.err == "1 more passage does not bear on the question (--no-gate shows what was kept back).\n"


def test_a_file_that_is_not_there_is_an_error(capsys, harbour):
    assert main(["search", str(harbour.pack), QUESTION, "--file", "none.md", "--json"]) == 39
    assert "it has: fees.csv" in json.loads(capsys.readouterr().out)["error"]["message"]


def test_a_wrong_count_is_an_error(capsys, harbour):
    assert main(["search", str(harbour.pack), QUESTION, "-k", "0", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "usage"
