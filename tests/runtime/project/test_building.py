"""What an index depends on, and what it does not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from helpers.harbour import HARBOUR_SETTINGS, embedded_here
from helpers.project_folders import write_files

from satchel.runtime.packfile.errors import DamagedPackError
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.paths import Home
from satchel.runtime.project.building import ProjectBuilder


@pytest.fixture
def indexed(harbour_folder: Path, harbour) -> tuple[Path, Home]:
    """A project of one's own whose index is there."""
    ProjectBuilder(harbour_folder, harbour.home).index()
    return harbour_folder, harbour.home


@pytest.mark.parametrize(
    "changes",
    [
        {"instructions.md": "Be kind."},
        {"examples.jsonl": '{"question": "a", "answer": "b"}\n'},
        {"evals/cases.jsonl": ""},
        {"assistant.toml": HARBOUR_SETTINGS.replace("Harbour guide", "Other name")},
        {"assistant.toml": f"{HARBOUR_SETTINGS}[retrieval]\nk = 3\ngate = 0.5\n"},
        {"notes.txt": "not knowledge", "knowledge/.hidden.md": "hidden"},
    ],
)
def test_what_no_array_depends_on_leaves_the_index_fresh(indexed, changes):
    folder, home = indexed
    write_files(folder, changes)

    assert ProjectBuilder(folder, home).index().fresh


@pytest.mark.parametrize(
    "changes",
    [
        {"assistant.toml": f"{HARBOUR_SETTINGS}[retrieval]\npassage_tokens = 100\n"},
        {"assistant.toml": f"{HARBOUR_SETTINGS}[knowledge]\ntrusted = true\n"},
        {"assistant.toml": f'{HARBOUR_SETTINGS}[knowledge]\nlanguages = ["fees.csv: nl"]\n'},
        {"knowledge/gate.txt": "It never closes.", "knowledge/tides.md": "# Tides"},
    ],
)
def test_what_an_array_or_its_files_table_depends_on_does_not(indexed, changes):
    folder, home = indexed
    write_files(folder, changes)

    assert not ProjectBuilder(folder, home).index().fresh
    assert ProjectBuilder(folder, home).index().fresh


def test_only_the_newest_index_is_kept(indexed):
    folder, home = indexed
    first = Path(ProjectBuilder(folder, home).index().path)
    write_files(folder, {"knowledge/gate.txt": "It never closes."})

    second = Path(ProjectBuilder(folder, home).index().path)

    assert not first.exists()
    assert [path.name for path in second.parent.glob("*.pack")] == [second.name]


def test_the_packs_own_vectors_are_taken_where_the_cache_has_none(harbour_folder, harbour, stranger):
    shutil.copyfile(harbour.pack, harbour_folder.parent / "harbour.pack")

    index = ProjectBuilder(harbour_folder, stranger).index()

    assert embedded_here(stranger) == 0
    with open_pack(Path(index.path), verify=True) as made, open_pack(harbour.pack, verify=True) as own:
        for plane in ("high", "low", "scale"):
            assert made.read(f"knowledge/vectors/{plane}.npy") == own.read(f"knowledge/vectors/{plane}.npy")


def test_rebuild_takes_none_of_them(harbour_folder, harbour, stranger):
    shutil.copyfile(harbour.pack, harbour_folder.parent / "harbour.pack")

    index = ProjectBuilder(harbour_folder, stranger).index(rebuild=True)

    assert embedded_here(stranger) == index.passages


def test_a_damaged_pack_beside_the_folder_is_no_hindrance(harbour_folder, harbour):
    (harbour_folder.parent / "harbour.pack").write_bytes(harbour.pack.read_bytes()[:5000])

    assert ProjectBuilder(harbour_folder, harbour.home).index().passages == 5


def test_a_damaged_origin_is_an_error_because_nothing_else_has_its_texts(harbour_folder, harbour):
    write_files(harbour_folder, {".satchel/origin.pack": harbour.pack.read_bytes()[:-7]})

    with pytest.raises(DamagedPackError, match=r"origin\.pack"):
        ProjectBuilder(harbour_folder, harbour.home).index()
