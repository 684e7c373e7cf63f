"""Adding knowledge: by copy, by link, and never a byte lost or half a refusal done."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from helpers.project_folders import snapshot, write_files, write_project
from helpers.python_processes import run_python

from satchel.runtime.commands.add import add_knowledge
from satchel.runtime.project.errors import (
    KnowledgeFileExistsError,
    LeadsOutsideError,
    NoProjectError,
    NothingToAddError,
)
from satchel.runtime.project.folder import load_project


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_project(tmp_path / "tutor", files={"knowledge/old.md": "old"})


def states(folder: Path, *sources: Path, link: bool = False, replace: bool = False) -> dict[str, str]:
    added = add_knowledge(folder, sources, link=link, replace=replace)
    return {entry.name: entry.state for entry in added.files}


def test_a_file_is_copied_in(folder, tmp_path):
    write_files(tmp_path, {"tides.md": b"high \x00 tide"})

    assert states(folder, tmp_path / "tides.md") == {"tides.md": "added"}

    assert (folder / "knowledge/tides.md").read_bytes() == b"high \x00 tide"
    assert [file.name for file in load_project(folder).knowledge_files()] == ["old.md", "tides.md"]


def test_a_folder_is_copied_with_its_name_and_its_folders(folder, tmp_path):
    write_files(tmp_path, {"notes/a.md": "a", "notes/deep/b.md": "b", "notes/.hidden": "h", "notes/~$b.docx": "l"})

    assert states(folder, tmp_path / "notes") == {"notes/a.md": "added", "notes/deep/b.md": "added"}

    assert sorted(snapshot(folder / "knowledge")) == ["notes/a.md", "notes/deep/b.md", "old.md"]


def test_the_current_folder_is_copied_under_its_name(folder, tmp_path, monkeypatch):
    write_files(tmp_path, {"notes/a.md": "a"})
    monkeypatch.chdir(tmp_path / "notes")

    assert states(folder, Path()) == {"notes/a.md": "added"}


def test_a_project_without_its_knowledge_folder_gets_one(tmp_path):
    folder = write_project(tmp_path / "tutor")
    write_files(tmp_path, {"a.md": "a"})

    assert states(folder, tmp_path / "a.md") == {"a.md": "added"}


def test_adding_the_same_again_changes_nothing(folder, tmp_path):
    write_files(tmp_path, {"tides.md": "x"})
    add_knowledge(folder, [tmp_path / "tides.md"])
    before = (folder / "knowledge/tides.md").stat()

    assert states(folder, tmp_path / "tides.md") == {"tides.md": "unchanged"}

    after = (folder / "knowledge/tides.md").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_other_content_of_the_same_name_is_refused_and_nothing_at_all_is_copied(folder, tmp_path):
    write_files(tmp_path, {"new.md": "n", "old.md": "other"})
    before = snapshot(folder)

    with pytest.raises(KnowledgeFileExistsError) as raised:
        add_knowledge(folder, [tmp_path / "new.md", tmp_path / "old.md"])

    assert raised.value.message == "old.md is already among the knowledge files, with other content."
    assert "--replace" in raised.value.advice
    assert snapshot(folder) == before


def test_other_content_replaces_the_old_when_told_to(folder, tmp_path):
    write_files(tmp_path, {"new.md": "n", "old.md": "other"})

    assert states(folder, tmp_path / "new.md", tmp_path / "old.md", replace=True) == {
        "new.md": "added",
        "old.md": "replaced",
    }

    assert (folder / "knowledge/old.md").read_text() == "other"


@pytest.mark.parametrize("replace", [False, True])
def test_two_sources_of_one_name_never_swallow_each_other(folder, tmp_path, replace):
    write_files(tmp_path, {"one/tides.md": "1", "two/tides.md": "2"})
    before = snapshot(folder)

    with pytest.raises(KnowledgeFileExistsError, match=r"tides\.md"):
        add_knowledge(folder, [tmp_path / "one/tides.md", tmp_path / "two/tides.md"], replace=replace)

    assert snapshot(folder) == before


def test_the_same_file_given_twice_is_added_once(folder, tmp_path):
    write_files(tmp_path, {"tides.md": "1"})

    added = add_knowledge(folder, [tmp_path / "tides.md", tmp_path / "tides.md"])

    assert [(entry.name, entry.state) for entry in added.files] == [("tides.md", "added"), ("tides.md", "unchanged")]
    assert (folder / "knowledge/tides.md").read_text() == "1"


@pytest.mark.parametrize("replace", [False, True])
def test_a_file_and_a_folder_of_one_name_are_refused(folder, tmp_path, replace):
    write_files(tmp_path, {"notes/a.md": "a", "file/notes": "f", "dir/old.md/x.md": "x"})
    write_files(folder, {"knowledge/taken/x.md": "x"})
    write_files(tmp_path, {"file/taken": "t"})
    before = snapshot(folder)

    for sources in (
        ["notes", "file/notes"],
        ["file/notes", "notes"],
        ["dir/old.md"],
        ["file/taken"],
    ):
        with pytest.raises(KnowledgeFileExistsError):
            add_knowledge(folder, [tmp_path / source for source in sources], replace=replace)

    assert snapshot(folder) == before


def test_hidden_files_are_skipped_with_the_reason(folder, tmp_path):
    write_files(tmp_path, {".env": "s", "~$a.docx": "l", ".notes/a.md": "a", "b.md": "b"})

    added = add_knowledge(folder, [tmp_path / name for name in (".env", "~$a.docx", ".notes", "b.md")])

    assert [(entry.name, entry.state, entry.reason) for entry in added.files] == [
        (".env", "skipped", "hidden files are not read"),
        ("~$a.docx", "skipped", "hidden files are not read"),
        (".notes/a.md", "skipped", "hidden files are not read"),
        ("b.md", "added", ""),
    ]
    assert sorted(snapshot(folder / "knowledge")) == ["b.md", "old.md"]


def test_links_that_lead_out_of_a_given_folder_are_not_followed(folder, tmp_path):
    write_files(tmp_path, {"secret": "s", "notes/a.md": "a"})
    (tmp_path / "notes/b.md").symlink_to(tmp_path / "secret")

    (tmp_path / "notes/c.md").symlink_to("nowhere")

    added = add_knowledge(folder, [tmp_path / "notes"])

    assert [(entry.name, entry.state, entry.reason) for entry in added.files] == [
        ("notes/a.md", "added", ""),
        ("notes/b.md", "skipped", "it is a link that leads out of its folder, and is not followed"),
        ("notes/c.md", "skipped", "it is a link that leads nowhere"),
    ]
    assert sorted(snapshot(folder / "knowledge")) == ["notes/a.md", "old.md"]


@pytest.mark.parametrize("link", [False, True])
@pytest.mark.parametrize("own", [".", "knowledge"])
def test_an_assistant_is_not_added_to_itself(folder, own, link):
    before = snapshot(folder)

    with pytest.raises(NothingToAddError, match="it is the assistant's own folder, or lies in it"):
        add_knowledge(folder, [folder / own], link=link)

    assert snapshot(folder) == before


def test_of_a_folder_around_the_assistant_the_assistant_is_left_out(folder, tmp_path):
    write_files(tmp_path, {"a.md": "a"})

    added = {entry.name.partition("/")[2]: entry for entry in add_knowledge(folder, [tmp_path]).files}

    assert added["a.md"].state == "added"
    assert added["tutor/knowledge/old.md"].state == "skipped"
    assert added["tutor/assistant.toml"].reason == "it is the assistant's own"


def test_nothing_is_copied_through_a_link_out_of_the_project(folder, tmp_path):
    write_files(tmp_path, {"notes/a.md": "a", "elsewhere/b.md": "b"})
    (folder / "knowledge/notes").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(LeadsOutsideError, match="knowledge/notes leads out of"):
        add_knowledge(folder, [tmp_path / "notes"])

    assert snapshot(tmp_path / "elsewhere") == {"b.md": b"b"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_files_of_a_folder_are_skipped_with_the_reason_and_one_given_by_name_is_an_error(folder, tmp_path):
    write_files(tmp_path, {"notes/a.md": "a", "notes/b.md": "b", "notes/sub/c.md": "c"})
    (tmp_path / "notes/b.md").chmod(0)
    (tmp_path / "notes/sub").chmod(0)

    assert states(folder, tmp_path / "notes") == {
        "notes/a.md": "added",
        "notes/b.md": "skipped",
        "notes/sub": "skipped",
    }
    with pytest.raises(NothingToAddError, match=r"b\.md: permission denied"):
        add_knowledge(folder, [tmp_path / "notes/a.md", tmp_path / "notes/b.md"])


def test_a_link_that_is_given_by_name_is_followed(folder, tmp_path):
    write_files(tmp_path, {"real.md": "r"})
    (tmp_path / "link.md").symlink_to("real.md")

    assert states(folder, tmp_path / "link.md") == {"link.md": "added"}

    assert (folder / "knowledge/link.md").read_text() == "r"
    assert not (folder / "knowledge/link.md").is_symlink()


def test_names_that_no_pack_could_hold_are_made_ones_that_it_can(folder, tmp_path):
    decomposed = unicodedata.normalize("NFD", "Ä.md")
    for name in (decomposed.encode(), b"caf\xe9.md", b"two\nlines.md"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text("x")
    sources = sorted(path for path in tmp_path.iterdir() if path.is_file())

    assert set(states(folder, *sources).values()) == {"added"}
    assert set(states(folder, *sources).values()) == {"unchanged"}
    assert sorted(snapshot(folder / "knowledge")) == ["caf\ufffd.md", "old.md", "two_lines.md", "Ä.md"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("missing.md", "it does not exist"),
        ("x" * 300, "it does not exist"),
        ("nul\0byte", "it does not exist"),
        ("dangling", "it does not exist"),
        ("loop", "it does not exist"),
        ("empty", "the folder holds no file"),
        ("pipe", "it is neither a file nor a folder"),
    ],
)
@pytest.mark.parametrize("before_it", [[], ["good.md"]])
def test_what_cannot_be_added_is_named_and_nothing_is_copied(folder, tmp_path, source, reason, before_it):
    write_files(tmp_path, {"good.md": "g"})
    (tmp_path / "empty").mkdir()
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    before = snapshot(folder)

    with pytest.raises(NothingToAddError) as raised:
        add_knowledge(folder, [tmp_path / name for name in [*before_it, source]])

    assert raised.value.message == f"There is nothing to add at {tmp_path / source}: {reason}."
    assert snapshot(folder) == before


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="this is how Linux offers a file that fails to be read")
def test_a_file_that_fails_while_it_is_read_is_named_and_leaves_no_half_copy(folder):
    before = snapshot(folder)

    with pytest.raises(NothingToAddError, match="/proc/self/mem: input/output error"):
        add_knowledge(folder, [Path("/proc/self/mem")])

    assert snapshot(folder) == before


def test_a_folder_that_is_no_project_is_refused(tmp_path):
    write_files(tmp_path, {"a.md": "a"})

    with pytest.raises(NoProjectError):
        add_knowledge(tmp_path, [tmp_path / "a.md"])


def test_a_full_disk_keeps_the_old_file_whole(folder, tmp_path):
    write_files(tmp_path, {"old.md": b"x" * 200_000})
    program = """
import resource, sys
from pathlib import Path
from satchel.runtime.commands.add import add_knowledge
from satchel.runtime.errors import SaveError
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    add_knowledge(Path(sys.argv[1]), [Path(sys.argv[2])], replace=True)
except SaveError as error:
    print(error.message)
"""
    before = snapshot(folder)

    finished = run_python(program, str(folder), str(tmp_path / "old.md"))

    assert finished.stdout == f"{folder / 'knowledge/old.md'} could not be saved: file too large.\n", finished.stderr
    assert snapshot(folder) == before


def test_a_folder_is_linked_by_a_relative_path_and_copied_nowhere(folder, tmp_path):
    write_files(tmp_path, {"notes/a.md": "a"})

    assert states(folder, tmp_path / "notes", link=True) == {str(tmp_path / "notes"): "linked"}

    project = load_project(folder)
    assert project.assistant.knowledge.links == ["../notes"]
    assert [file.name for file in project.knowledge_files()] == ["notes/a.md", "old.md"]
    assert sorted(snapshot(folder / "knowledge")) == ["old.md"]


def test_a_link_survives_moving_both_together(folder, tmp_path):
    write_files(tmp_path, {"notes/a.md": "a"})
    add_knowledge(folder, [tmp_path / "notes"], link=True)
    (tmp_path / "moved").mkdir()
    folder.rename(tmp_path / "moved/tutor")
    (tmp_path / "notes").rename(tmp_path / "moved/notes")

    names = [file.name for file in load_project(tmp_path / "moved/tutor").knowledge_files()]

    assert names == ["notes/a.md", "old.md"]


def test_linking_twice_by_whatever_path_links_once(folder, tmp_path):
    write_files(tmp_path, {"notes/a.md": "a"})
    add_knowledge(folder, [tmp_path / "notes"], link=True)

    added = add_knowledge(folder, [tmp_path / "notes/../notes", tmp_path / "tutor/../notes"], link=True)

    assert [entry.state for entry in added.files] == ["unchanged", "unchanged"]
    assert load_project(folder).assistant.knowledge.links == ["../notes"]


def test_linking_keeps_the_comments_of_the_settings(tmp_path):
    folder = write_project(tmp_path / "tutor", settings="# mine\n[knowledge]  # two\nlinks = []\n")
    write_files(tmp_path, {"notes/a.md": "a"})

    add_knowledge(folder, [tmp_path / "notes"], link=True)

    text = (folder / "assistant.toml").read_text()
    assert "# mine\n[knowledge]  # two\n" in text


def test_a_folder_whose_name_is_not_utf8_cannot_be_linked(folder, tmp_path):
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    odd.mkdir()
    before = snapshot(folder)

    with pytest.raises(NothingToAddError, match="its name is not UTF-8"):
        add_knowledge(folder, [odd], link=True)

    assert snapshot(folder) == before


def test_a_missing_folder_cannot_be_linked(folder, tmp_path):
    with pytest.raises(NothingToAddError, match="it does not exist"):
        add_knowledge(folder, [tmp_path / "gone"], link=True)
