"""`satchel unpack`."""

from __future__ import annotations

import json

import pytest
from helpers.harbour import FILE_NAMES
from helpers.packs import write_knowing_pack

from satchel.runtime.cli.main import main

pytestmark = pytest.mark.usefixtures("warm_home")


def test_the_folder_is_told_with_how_many_files_it_has(capsys, harbour, tmp_path):
    assert main(["unpack", str(harbour.pack), str(tmp_path / "again")]) == 0

    assert capsys.readouterr().out == f"{tmp_path / 'again'} is ready: Harbour guide, 5 files.\n"


def test_files_of_which_only_the_text_came_are_told(capsys, harbour, tmp_path):
    main(["build", str(harbour.folder), "-o", str(tmp_path / "bare.pack"), "--without-sources"])
    capsys.readouterr()

    assert main(["unpack", str(tmp_path / "bare.pack"), str(tmp_path / "again")]) == 0

    assert "Of 5 more the pack brought text and vectors, but not the file." in capsys.readouterr().out


def test_json_holds_the_same(capsys, harbour, tmp_path):
    assert main(["unpack", str(harbour.pack), str(tmp_path / "again"), "--json"]) == 0

    assert json.loads(capsys.readouterr().out) == {
        "folder": str(tmp_path / "again"),
        "name": "Harbour guide",
        "with_source": list(FILE_NAMES),
        "text_only": [],
        "other_embedder": "",
        "has_tools": False,
    }


def test_a_strangers_embedder_is_told_and_not_taken(capsys, tmp_path):
    write_knowing_pack(tmp_path / "a.pack")

    assert main(["unpack", str(tmp_path / "a.pack"), str(tmp_path / "again")]) == 0

    assert "embedded with tiny, which is none of Satchel's own" in capsys.readouterr().err


def test_a_folder_that_is_there_is_an_error(capsys, harbour, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")

    assert main(["unpack", str(harbour.pack), str(tmp_path), "--json"]) == 12
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "folder-not-empty"


def test_an_unpacked_folder_answers_at_once(capsys, harbour, tmp_path):
    main(["unpack", str(harbour.pack), str(tmp_path / "again")])
    capsys.readouterr()

    assert main(["run", str(tmp_path / "again"), "Where is diesel sold?", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sources"][0]["file"] == "handbook.pdf"
