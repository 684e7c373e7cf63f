from __future__ import annotations

import pytest
from helpers.project_folders import ASSISTANT_ID, write_project

from satchel.runtime.commands.install import install
from satchel.runtime.commands.library import (
    forget_folder,
    list_library,
    projects_folder,
    remember_folder,
    sample_pack,
    show_sample,
)
from satchel.runtime.project.errors import NoProjectError
from satchel.runtime.session.history import History


def test_a_new_person_finds_the_sample_and_nothing_was_copied(home):
    (sample,) = list_library(home)

    assert (sample.kind, sample.name, sample.files, sample.reference) == (
        "sample",
        "Astronomy tutor",
        30,
        str(sample_pack()),
    )
    assert not home.data.exists()


def test_the_sample_goes_and_comes_back(home):
    show_sample(home, shown=False)
    assert list_library(home) == ()

    show_sample(home, shown=True)
    assert [entry.kind for entry in list_library(home)] == ["sample"]


def test_an_installed_pack_takes_the_place_of_the_sample_that_it_is(home):
    pack = install(sample_pack(), home).pack

    (entry,) = list_library(home)
    assert (entry.kind, entry.reference, entry.size) == ("pack", pack.pack_id, pack.size)


def test_projects_of_ones_own_folder_and_elsewhere_are_listed_with_what_they_hold(home, tmp_path):
    write_project(projects_folder(home) / "mine", files={"knowledge/a.md": "A", "avatar.png": b"\x89PNG"})
    elsewhere = write_project(tmp_path / "elsewhere")
    remember_folder(elsewhere, home)
    remember_folder(elsewhere, home)

    entries = {entry.reference: entry for entry in list_library(home) if entry.kind == "project"}
    mine = entries[str(projects_folder(home) / "mine")]
    assert (mine.id, mine.name, mine.files, mine.avatar) == (ASSISTANT_ID, "Tide tutor", 1, b"\x89PNG")
    assert mine.own_folder
    assert mine.changed is not None
    assert not entries[str(elsewhere)].own_folder
    assert len(entries) == 2

    forget_folder(elsewhere, home)
    assert str(elsewhere) not in {entry.reference for entry in list_library(home)}
    assert (elsewhere / "assistant.toml").exists()


def test_a_folder_that_is_no_project_is_not_remembered(home, tmp_path):
    with pytest.raises(NoProjectError):
        remember_folder(tmp_path, home)


def test_one_that_cannot_be_read_is_there_with_its_problem(home):
    folder = write_project(projects_folder(home) / "broken")
    (folder / "assistant.toml").write_text("format = ")

    entry = next(entry for entry in list_library(home) if entry.kind == "project")
    assert entry.name == "broken"
    assert "assistant.toml" in entry.problem


def test_each_says_when_somebody_last_talked_with_it(home):
    write_project(projects_folder(home) / "mine")
    with History(home.history) as history:
        history.create_chat(ASSISTANT_ID, "first")
        last = history.create_chat(ASSISTANT_ID, "second")

    entry = next(entry for entry in list_library(home) if entry.kind == "project")
    assert entry.used == last.updated
