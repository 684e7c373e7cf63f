"""`satchel new`."""

from __future__ import annotations

import json

from helpers.project_folders import snapshot

from satchel.runtime.cli.main import main
from satchel.runtime.project.folder import load_project


def test_a_folder_is_made_and_the_next_steps_are_told(capsys, tmp_path):
    folder = tmp_path / "tide-tutor"

    assert main(["new", str(folder)]) == 0

    said = capsys.readouterr().out
    assert f"{folder} is ready: Tide tutor." in said
    assert f"satchel add {folder}" in said
    assert f"satchel run {folder}" in said
    assert load_project(folder).assistant.name == "Tide tutor"


def test_json_holds_the_folder_its_id_and_its_name(capsys, tmp_path):
    folder = tmp_path / "x"

    assert main(["new", str(folder), "--name", "Ebbe & Flut", "--template", "tutor", "--json"]) == 0

    assert json.loads(capsys.readouterr().out) == {
        "folder": str(folder),
        "id": load_project(folder).assistant.id,
        "name": "Ebbe & Flut",
    }
    assert "tutor" in load_project(folder).instructions


def test_a_folder_that_is_not_empty_is_left_as_it_is(capsys, tmp_path):
    (tmp_path / "notes.md").write_text("mine")

    assert main(["new", str(tmp_path)]) == 12

    assert "is already there and not empty" in capsys.readouterr().err
    assert snapshot(tmp_path) == {"notes.md": b"mine"}


def test_an_unknown_template_has_its_own_exit_code(capsys, tmp_path):
    assert main(["new", str(tmp_path / "x"), "--template", "poet"]) == 13

    assert 'There is no template called "poet"; there are: blank, ' in capsys.readouterr().err


def test_help_names_the_templates_and_what_they_are_for(capsys):
    assert main(["new", "--help"]) == 0

    said = " ".join(capsys.readouterr().out.split())
    assert "tutor: teaches a subject from its textbook" in said
