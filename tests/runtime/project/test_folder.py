"""A project folder is read as it is on the disk: texts, examples, knowledge files, and what must stay out."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from helpers.project_folders import SETTINGS, write_files, write_project

from satchel.runtime.packfile.names import knowledge_name_problem
from satchel.runtime.project.entries import project_entries
from satchel.runtime.project.errors import (
    LeadsOutsideError,
    LinkedFolderMissingError,
    NoProjectError,
    ProjectFormatError,
)
from satchel.runtime.project.folder import Example, linked_path, load_project
from satchel.runtime.project.naming import knowledge_name


def names(folder: Path) -> list[str]:
    return [file.name for file in load_project(folder).knowledge_files()]


def test_a_project_is_loaded_with_its_texts(tmp_path):
    folder = write_project(
        tmp_path,
        files={
            "instructions.md": "Be patient.\n",
            "examples.jsonl": '{"question": "When?", "answer": "At noon."}\n',
        },
    )

    project = load_project(folder)

    assert project.assistant.name == "Tide tutor"
    assert project.instructions == "Be patient.\n"
    assert project.examples == (Example("When?", "At noon."),)


def test_only_assistant_toml_is_necessary(tmp_path):
    project = load_project(write_project(tmp_path))

    assert project.instructions == ""
    assert project.examples == ()
    assert project.knowledge_files() == ()
    assert project.action_files() == ()
    assert project.optional_file("avatar.png") is None
    assert project.origin_pack is None


def test_optional_parts_are_found_where_they_are(tmp_path):
    files = {"avatar.png": b"png", "actions/b.openapi.json": "{}", "actions/a.openapi.json": "{}", "actions/c.md": ""}
    project = load_project(write_project(tmp_path, files={**files, ".satchel/origin.pack": b"pack"}))

    assert project.optional_file("avatar.png") == tmp_path / "avatar.png"
    assert [path.name for path in project.action_files()] == ["a.openapi.json", "b.openapi.json"]
    assert project.origin_pack == tmp_path / ".satchel/origin.pack"


@pytest.mark.parametrize("folder", ["missing", "empty", "a-file", "x" * 300, "nul\0byte"])
def test_a_folder_that_is_no_project_says_how_to_make_one(tmp_path, folder):
    (tmp_path / "empty").mkdir()
    (tmp_path / "a-file").write_text("")

    with pytest.raises(NoProjectError) as raised:
        load_project(tmp_path / folder)

    assert raised.value.advice == f"Make one with: satchel new {tmp_path / folder}"


def test_line_ends_and_byte_order_marks_of_windows_are_read(tmp_path):
    bom = "\ufeff"
    folder = write_project(
        tmp_path,
        files={
            "assistant.toml": bom + SETTINGS.replace("\n", "\r\n") + 'description = """\r\none\r\ntwo"""\r\n',
            "instructions.md": bom + "one\r\ntwo\r\n",
            "examples.jsonl": bom + '{"question": "a", "answer": "b"}\r\n{"question": "c", "answer": "d"}\r\n',
        },
    )

    project = load_project(folder)

    assert project.assistant.description == "one\ntwo"
    assert project.instructions == "one\ntwo\n"
    assert len(project.examples) == 2


@pytest.mark.parametrize("file", ["assistant.toml", "instructions.md", "examples.jsonl"])
def test_a_text_that_is_not_utf8_names_its_file_and_byte(tmp_path, file):
    folder = write_project(tmp_path, files={file: b"# caf\xe9\n"})

    with pytest.raises(ProjectFormatError) as raised:
        load_project(folder)

    assert raised.value.message == f"{folder / file}: byte 5: it is not UTF-8."


def test_a_folder_in_the_place_of_a_text_is_an_error_that_names_it(tmp_path):
    folder = write_project(tmp_path)
    (folder / "instructions.md").mkdir()

    with pytest.raises(ProjectFormatError, match=r"instructions\.md: reading: is a directory"):
        load_project(folder)


@pytest.mark.parametrize(
    ("line", "where", "reason"),
    [
        ('{"question": "a"}', "top level", "the key `answer` is missing"),
        ('{"question": "a", "answer": 3}', "answer", "expected `str`, got `int`"),
        ('{"question": "a", "answer": "b", "mood": "c"}', "top level", "there is no key `mood`"),
        ('["a", "b"]', "top level", "expected `object`, got `array`"),
        ('{"question": "a"', "top level", "input data was truncated"),
        ("question: a", "top level", "JSON is malformed: invalid character (byte 0)"),
        ('{"question": ' + "[" * 50_000, "question", "expected `str`, got `array`"),
    ],
)
def test_a_broken_example_names_its_line(tmp_path, line, where, reason):
    good = '{"question": "When?", "answer": "a\u2028b"}'
    folder = write_project(tmp_path, files={"examples.jsonl": f"{good}\n\n{good}\n{line}\n"})

    with pytest.raises(ProjectFormatError) as raised:
        load_project(folder)

    assert raised.value.message == f"{folder / 'examples.jsonl'}: line 4, {where}: {reason}."
    assert raised.value.advice.startswith('Mend the line; a good one is {"question": ')


def test_a_folder_of_documents_is_told_from_one_that_is_not_there(tmp_path):
    write_files(tmp_path, {"docs/a.md": "x"})

    for folder, advice in (
        ("docs", f"satchel add NAME {tmp_path / 'docs'}"),
        ("gone", f"satchel new {tmp_path / 'gone'}"),
    ):
        with pytest.raises(NoProjectError) as raised:
            load_project(tmp_path / folder)
        assert raised.value.advice.endswith(advice)


def test_knowledge_files_are_listed_by_name_with_their_folders(tmp_path):
    write_project(tmp_path, files={f"knowledge/{name}": "x" for name in ("b.md", "a/z.md", "a/é.md", "Ä 1.txt", "c")})

    assert names(tmp_path) == ["a/z.md", "a/é.md", "b.md", "c", "Ä 1.txt"]


def test_hidden_files_and_words_lock_files_stay_out(tmp_path):
    hidden = (".DS_Store", "~$report.docx", ".git/config", "sub/.hidden.md", ".x.partial")
    write_project(tmp_path, files={f"knowledge/{name}": "x" for name in (*hidden, "report.docx", "a~$b.md")})

    assert names(tmp_path) == ["a~$b.md", "report.docx"]


def test_links_that_lead_outside_are_not_read_and_say_so_and_links_within_are_files(tmp_path):
    folder = write_project(tmp_path / "project", files={"knowledge/a.md": "x"})
    write_files(tmp_path, {"secret.txt": "s", "outside/b.md": "x"})
    own = folder / "knowledge"
    (own / "stolen.txt").symlink_to(tmp_path / "secret.txt")
    (own / "up.txt").symlink_to("../../secret.txt")
    (own / "folder").symlink_to(tmp_path / "outside")
    (own / "dangling.md").symlink_to("nowhere.md")
    (own / "loop.md").symlink_to("loop.md")
    (own / "again.md").symlink_to("a.md")

    (own / "sub").mkdir()
    (own / "sub/back").symlink_to("..")

    told = {file.name: file.problem for file in load_project(folder).knowledge_files()}

    outside = "it is a link that leads out of its folder, and is not followed"
    nowhere = "it is a link that leads nowhere"
    assert told == {
        "a.md": "",
        "again.md": "",
        "stolen.txt": outside,
        "up.txt": outside,
        "folder": outside,
        "dangling.md": nowhere,
        "loop.md": nowhere,
    }


@pytest.mark.parametrize(
    "part", ["assistant.toml", "instructions.md", "examples.jsonl", "avatar.png", "mcp.json", "evals", "actions"]
)
def test_a_part_that_is_a_link_out_of_the_project_is_refused(tmp_path, part):
    files = {"a.openapi.json": "{}", "cases.jsonl": "{}"}
    outside = write_project(tmp_path / "outside", files={**files, "avatar.png": "p", "examples.jsonl": ""})
    folder = write_project(tmp_path / "project")
    (folder / part).unlink(missing_ok=True)
    (folder / part).symlink_to(outside / part if (outside / part).is_file() else outside)

    with pytest.raises(LeadsOutsideError) as raised:
        list(project_entries(load_project(folder)))

    assert str(folder / part) in raised.value.message
    assert str(outside) in raised.value.message


def test_one_action_that_is_a_link_out_of_the_project_is_refused(tmp_path):
    write_files(tmp_path, {"secret.json": "{}"})
    folder = write_project(tmp_path / "project", files={"actions/good.openapi.json": "{}"})
    (folder / "actions/bad.openapi.json").symlink_to("../../secret.json")

    with pytest.raises(LeadsOutsideError, match=r"bad\.openapi\.json"):
        load_project(folder).action_files()


@pytest.mark.parametrize("target", ["../outside", "/"])
def test_a_knowledge_folder_that_is_a_link_out_of_the_project_is_refused(tmp_path, target):
    write_files(tmp_path, {"outside/secret.txt": "s"})
    folder = write_project(tmp_path / "project")
    (folder / "knowledge").symlink_to(target)

    with pytest.raises(LeadsOutsideError, match="knowledge leads out of"):
        load_project(folder).knowledge_files()


def test_links_within_the_project_and_a_project_behind_a_link_are_fine(tmp_path):
    folder = write_project(tmp_path / "project", files={"texts/a.md": "x", "texts/system.md": "Be kind."})
    (folder / "knowledge").symlink_to("texts")
    (folder / "instructions.md").symlink_to("texts/system.md")
    (tmp_path / "alias").symlink_to("project")

    project = load_project(tmp_path / "alias")

    assert project.instructions == "Be kind."
    assert [file.name for file in project.knowledge_files()] == ["a.md", "system.md"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_opened_is_listed_with_its_reason(tmp_path):
    write_project(tmp_path, files={"knowledge/a.md": "x", "knowledge/closed/b.md": "x"})
    (tmp_path / "knowledge/closed").chmod(0)

    closed = load_project(tmp_path).knowledge_files()[-1]

    assert (closed.name, closed.problem) == ("closed", "it cannot be opened: permission denied")


def test_what_is_neither_file_nor_folder_stays_out(tmp_path):
    write_project(tmp_path, files={"knowledge/a.md": "x"})
    os.mkfifo(tmp_path / "knowledge/pipe.md")

    assert names(tmp_path) == ["a.md"]


def test_a_linked_folder_is_listed_under_its_name_and_read_where_it_lies(tmp_path):
    write_files(tmp_path, {"notes/tides.md": "x", "notes/.hidden": "x", "notes/deep/er.md": "x"})
    folder = write_project(tmp_path / "project", settings="[knowledge]\nlinks = ['../notes']")

    files = load_project(folder).knowledge_files()

    assert [file.name for file in files] == ["notes/deep/er.md", "notes/tides.md"]
    assert all(file.linked and file.path.read_text() == "x" for file in files)


def test_a_single_linked_file_is_listed_by_its_name(tmp_path):
    write_files(tmp_path, {"tides.md": "x"})
    folder = write_project(tmp_path / "project", settings=f"[knowledge]\nlinks = ['{tmp_path / 'tides.md'}']")

    assert names(folder) == ["tides.md"]


def test_new_files_of_a_linked_folder_show_up_without_loading_again(tmp_path):
    write_files(tmp_path, {"notes/a.md": "x"})
    project = load_project(write_project(tmp_path / "project", settings="[knowledge]\nlinks = ['../notes']"))
    write_files(tmp_path, {"notes/b.md": "x"})

    assert [file.name for file in project.knowledge_files()] == ["notes/a.md", "notes/b.md"]


@pytest.mark.parametrize("link", ["../gone", "/no/such/folder", "~nobody-of-this-name/notes", "x" * 300])
def test_a_linked_folder_that_vanished_is_named(tmp_path, link):
    folder = write_project(tmp_path / "project", settings=f"[knowledge]\nlinks = ['{link}']")

    with pytest.raises(LinkedFolderMissingError) as raised:
        load_project(folder).knowledge_files()

    assert link.rsplit("/", 1)[-1] in raised.value.message


def test_a_links_tilde_is_the_persons_home_only_at_its_beginning(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "ada"))

    assert linked_path(tmp_path, "~/notes") == tmp_path / "ada/notes"
    assert linked_path(tmp_path, "~") == tmp_path / "ada"
    assert linked_path(tmp_path, "~notes") == tmp_path / "~notes"


def test_no_two_files_have_the_same_name_whatever_they_come_from(tmp_path):
    write_files(tmp_path, {"one/docs/a.md": "1", "two/docs/a.md": "2", "two/docs/A.md": "3", "three/docs.x/a.md": "4"})
    folder = write_project(
        tmp_path / "project",
        settings="[knowledge]\nlinks = ['../one/docs', '../two/docs', '../three/docs.x']",
        files={"knowledge/docs/a.md": "own"},
    )

    files = {file.name: file.path.read_text() for file in load_project(folder).knowledge_files()}

    assert files == {
        "docs/a.md": "own",
        "docs/a (2).md": "1",
        "docs/A (3).md": "3",
        "docs/a (4).md": "2",
        "docs.x/a.md": "4",
    }


def test_a_linked_folder_and_a_file_of_its_name_are_both_kept(tmp_path):
    write_files(tmp_path, {"notes/a.md": "1", "notes/b.md": "2", "else/notes": "3", "else/sub": "4"})
    folder = write_project(
        tmp_path / "project",
        settings="[knowledge]\nlinks = ['../notes', '../else/notes', '../else/sub']",
        files={"knowledge/Notes": "own", "knowledge/sub/c.md": "5"},
    )

    files = {file.name: file.path.read_text() for file in load_project(folder).knowledge_files()}

    assert files == {
        "Notes": "own",
        "notes (2)/a.md": "1",
        "notes (2)/b.md": "2",
        "notes (3)": "3",
        "sub/c.md": "5",
        "sub (2)": "4",
    }


def test_the_files_of_a_linked_folder_that_is_hidden_have_names_that_are_not(tmp_path):
    write_files(tmp_path, {".notes/a.md": "x", ".hidden.md": "x", "...": "x"})
    folder = write_project(
        tmp_path / "project", settings="[knowledge]\nlinks = ['../.notes', '../.hidden.md', '../...']"
    )

    assert names(folder) == ["hidden.md", "linked", "notes/a.md"]


@pytest.mark.parametrize("link", ["..", "../notes/.."])
def test_a_link_without_a_name_of_its_own_takes_that_of_its_folder(tmp_path, link):
    write_files(tmp_path, {"top/notes/a.md": "x"})
    folder = write_project(tmp_path / "top" / "project", settings=f"[knowledge]\nlinks = ['{link}']")

    assert names(folder) == ["top/notes/a.md"]


def test_a_link_around_the_project_brings_nothing_of_the_project_itself(tmp_path):
    write_files(tmp_path, {"top/a.md": "x"})
    folder = write_project(
        tmp_path / "top" / "project", settings="[knowledge]\nlinks = ['..', '.']", files={"knowledge/own.md": "x"}
    )

    assert names(folder) == ["own.md", "top/a.md"]


def test_a_name_is_composed_whatever_the_disk_made_of_it(tmp_path):
    decomposed = unicodedata.normalize("NFD", "Flut für Anfänger.md")
    write_project(tmp_path, files={f"knowledge/{decomposed}": "x"})

    (file,) = load_project(tmp_path).knowledge_files()

    assert file.name == "Flut für Anfänger.md"
    assert file.path.name == decomposed


@pytest.mark.parametrize(
    ("on_disk", "shown"),
    [
        (b"caf\xe9.md", "caf\ufffd.md"),
        (b"two\nlines.md", "two_lines.md"),
        (b"esc\x1b[2J.md", "esc_[2J.md"),
        ("gnp.\u202etxt.exe".encode(), "gnp._txt.exe"),
        (b"back\\slash.md", "back_slash.md"),
        (b"C:notes.md", "C_notes.md"),
        ("什么时候 🌊 👩\u200d🔬.md".encode(), "什么时候 🌊 👩\u200d🔬.md"),
    ],
)
def test_a_name_that_no_pack_could_hold_is_shown_in_one_that_it_can(tmp_path, on_disk, shown):
    write_project(tmp_path)
    (tmp_path / "knowledge").mkdir()
    Path(os.fsdecode(os.fsencode(tmp_path / "knowledge") + b"/" + on_disk)).write_text("x")

    (file,) = load_project(tmp_path).knowledge_files()

    assert file.name == shown
    assert knowledge_name_problem(shown) == ""
    assert file.path.read_text() == "x"


def test_a_good_name_stays_as_it_is():
    assert knowledge_name("sub folder/Kapitel 1, Ebbe (2).pdf") == "sub folder/Kapitel 1, Ebbe (2).pdf"
