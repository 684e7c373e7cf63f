"""`satchel add`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.project_folders import snapshot, write_files, write_project

from satchel.runtime.cli.main import main
from satchel.runtime.project.folder import load_project


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_project(tmp_path / "tutor", files={"knowledge/old.md": "old"})


def test_every_file_is_told_with_what_became_of_it(capsys, folder, tmp_path):
    write_files(tmp_path, {"new.md": "n", "old.md": "old", ".env": "secret"})

    code = main(["add", str(folder), *(str(tmp_path / name) for name in ("new.md", "old.md", ".env"))])

    assert code == 0
    assert capsys.readouterr().out == (
        "added     new.md\nunchanged old.md\nskipped   .env: hidden files are not read\n"
    )


def test_json_holds_the_same(capsys, folder, tmp_path):
    write_files(tmp_path, {"new.md": "n"})

    assert main(["add", str(folder), str(tmp_path / "new.md"), "--json"]) == 0

    assert json.loads(capsys.readouterr().out) == {
        "folder": str(folder),
        "files": [{"name": "new.md", "state": "added", "reason": ""}],
    }


def test_other_content_needs_replace(capsys, folder, tmp_path):
    write_files(tmp_path, {"old.md": "other"})
    given = ["add", str(folder), str(tmp_path / "old.md")]

    assert main(given) == 14
    assert "Add --replace" in capsys.readouterr().err
    assert (folder / "knowledge/old.md").read_text() == "old"

    assert main([*given, "--replace"]) == 0
    assert (folder / "knowledge/old.md").read_text() == "other"


def test_a_folder_is_linked_and_its_files_stay_where_they_are(capsys, folder, tmp_path):
    write_files(tmp_path, {"notes/a.md": "a"})

    assert main(["add", str(folder), "--link", str(tmp_path / "notes")]) == 0

    assert capsys.readouterr().out == f"linked    {tmp_path / 'notes'}\n"
    assert sorted(snapshot(folder / "knowledge")) == ["old.md"]
    assert [file.name for file in load_project(folder).knowledge_files()] == ["notes/a.md", "old.md"]


def test_a_file_whose_name_begins_with_hyphens_is_added_after_two_hyphens(folder, tmp_path, monkeypatch):
    write_files(tmp_path, {"--json": "odd"})
    monkeypatch.chdir(tmp_path)

    assert main(["add", str(folder), "--", "--json"]) == 0

    assert (folder / "knowledge/--json").read_text() == "odd"


def test_a_name_with_an_escape_sequence_is_shown_without_its_power(capsys, folder, tmp_path):
    write_files(tmp_path, {"\x1b[2Jx.md": "x"})

    assert main(["add", str(folder), str(tmp_path / "\x1b[2Jx.md")]) == 0

    assert capsys.readouterr().out == "added     _[2Jx.md\n"


@pytest.mark.parametrize(("given", "code"), [(["missing", "a.md"], 10), (["tutor", "missing.md"], 15)])
@pytest.mark.usefixtures("folder")
def test_what_is_not_there_has_its_exit_code(capsys, tmp_path, monkeypatch, given, code):
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path, {"a.md": "a"})

    assert main(["add", *given]) == code
    assert "missing" in capsys.readouterr().err
