"""`satchel index`."""

from __future__ import annotations

import json

import pytest
from helpers.harbour import FILE_NAMES
from helpers.project_folders import write_project

from satchel.runtime.cli.main import main

pytestmark = pytest.mark.usefixtures("warm_home")


def test_each_file_has_its_line_and_the_passages_are_counted(capsys, harbour):
    assert main(["index", str(harbour.folder)]) == 0

    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert [line.split(":")[0].strip() for line in lines[:-1]] == list(FILE_NAMES)
    assert "  handbook.pdf: 3 pages, 1 passage, en" in lines
    assert lines[-1] in {"5 passages; nothing had changed", "5 passages; embedded with all-MiniLM-L6-v2"}
    assert said.err == ""


def test_what_is_left_out_has_its_reason(capsys, harbour_folder):
    (harbour_folder / "knowledge" / "empty.txt").write_text("")

    assert main(["index", str(harbour_folder)]) == 0
    assert "  left out  empty.txt is empty: " in capsys.readouterr().out


def test_without_files_the_next_step_is_told(capsys, tmp_path):
    folder = write_project(tmp_path / "tutor")

    assert main(["index", str(folder)]) == 0

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"There are no knowledge files yet. Next: satchel add {folder} FILES…\n"


def test_json_holds_the_same(capsys, harbour):
    assert main(["index", str(harbour.folder), "--json"]) == 0

    index = json.loads(capsys.readouterr().out)
    assert sorted(index) == ["embedder", "files", "fresh", "notes", "passages", "path"]
    assert sorted(index["files"][0]) == [
        *("characters", "language", "media_type", "name", "pages", "passages", "picture_pages", "problem")
    ]


def test_what_is_no_project_is_an_error(capsys, tmp_path):
    assert main(["index", str(tmp_path), "--json"]) == 10
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "no-project"


def test_fewer_than_no_threads_are_wrong_use(capsys, harbour):
    assert main(["index", str(harbour.folder), "--threads", "-1", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "usage"
