from __future__ import annotations

import pytest
from helpers.project_folders import ASSISTANT_ID, write_files, write_project

from satchel.runtime.commands.duplicate import duplicate, free_folder
from satchel.runtime.commands.library import projects_folder
from satchel.runtime.errors import SaveError
from satchel.runtime.project.errors import AssistantMissingError
from satchel.runtime.project.folder import load_project


def test_a_copy_has_an_id_and_a_name_of_its_own_and_the_same_files(home, tmp_path):
    original = write_project(tmp_path / "tides", files={"knowledge/a.md": "A", ".git/config": "x"})

    copy = duplicate(str(original), "Tide tutor 2", home)

    assert copy.folder == projects_folder(home) / "tide-tutor-2"
    assert copy.assistant.name == "Tide tutor 2"
    assert copy.assistant.id != ASSISTANT_ID
    assert [file.name for file in copy.knowledge_files()] == ["a.md"]
    assert not (copy.folder / ".git").exists()
    assert load_project(original).assistant.id == ASSISTANT_ID


def test_a_copy_of_a_project_with_linked_folders_links_the_same(home, tmp_path):
    write_files(tmp_path / "notes", {"n.md": "N"})
    original = write_project(tmp_path / "tides", settings='[knowledge]\nlinks = ["../notes"]\n')

    copy = duplicate(str(original), "Another", home)

    assert [file.path.resolve() for file in copy.knowledge_files()] == [tmp_path / "notes" / "n.md"]


def test_a_pack_becomes_a_project(home, harbour):
    copy = duplicate(str(harbour.pack), "My harbour", home)

    assert copy.assistant.name == "My harbour"
    assert (copy.folder / "knowledge" / "gate.txt").exists()


def test_names_find_a_folder_that_is_free(home):
    first = free_folder("Tide tutor!", home)
    first.mkdir(parents=True)

    assert first.name == "tide-tutor"
    assert free_folder("tide TUTOR", home).name == "tide-tutor-2"
    assert free_folder("…", home).name == "assistant"


def test_what_is_not_there_is_named(home):
    with pytest.raises(AssistantMissingError, match="nothing-here"):
        duplicate("nothing-here", "Copy", home)


def test_nothing_is_left_behind_where_there_is_no_place(home, tmp_path):
    original = write_project(tmp_path / "tides")
    home.data.mkdir(parents=True)
    projects_folder(home).write_text("a file stands in the way")

    with pytest.raises(SaveError):
        duplicate(str(original), "Copy", home)
    assert projects_folder(home).read_text() == "a file stands in the way"
