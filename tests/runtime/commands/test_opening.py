"""What PACK_OR_FOLDER may be."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from helpers.harbour import FILE_NAMES, INSTRUCTIONS
from helpers.packs import contents_of, forge_pack, write_plain_pack
from helpers.project_folders import write_files, write_project

from satchel.runtime.commands.install import install
from satchel.runtime.commands.opening import find_pack, open_assistant
from satchel.runtime.packfile.errors import DamagedPackError, NotAPackError
from satchel.runtime.packfile.knowledge_check import read_files
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.project.errors import AssistantMissingError, NoProjectError


def test_a_pack_opens_as_the_assistant_that_was_built(harbour, warm_home):
    assistant = open_assistant(str(harbour.pack), warm_home)

    assert (assistant.name, assistant.pack_id) == ("Harbour guide", harbour.pack_id)
    assert assistant.instructions == INSTRUCTIONS
    assert assistant.starters == ("When does the gate close?",)
    assert assistant.has_knowledge
    assert assistant.knowledge is not None
    assert assistant.knowledge.path == harbour.pack


def test_a_folder_opens_as_the_same_assistant_without_a_pack_id(harbour, warm_home):
    folder, pack = open_assistant(str(harbour.folder), warm_home), open_assistant(str(harbour.pack), warm_home)

    assert folder.pack_id == ""
    assert folder.knowledge is not None
    with folder.knowledge.open() as index:
        assert [file.name for file in read_files(index)] == list(FILE_NAMES)
    for field in ("id", "name", "instructions", "greeting", "starters", "retrieval", "sampling", "examples"):
        assert getattr(folder, field) == getattr(pack, field), field


def test_a_folders_changed_file_is_read_before_it_answers(harbour_folder, warm_home):
    write_files(harbour_folder, {"knowledge/gate.txt": "The gate never closes."})

    assistant = open_assistant(str(harbour_folder), warm_home)

    assert assistant.knowledge is not None
    assert b"never closes" in contents_of(assistant.knowledge.path)["knowledge/text.utf8"]


def test_an_installed_pack_opens_by_name_and_by_the_beginning_of_its_id(harbour, warm_home):
    install(harbour.pack, warm_home)

    by_name = open_assistant("harbour-guide", warm_home)

    assert by_name.pack_id == harbour.pack_id
    assert open_assistant(harbour.pack_id[:8], warm_home) == by_name


def test_a_folder_comes_before_an_installed_pack_of_its_name(harbour, warm_home, tmp_path, monkeypatch):
    install(harbour.pack, warm_home)
    write_project(tmp_path / "Harbour guide")
    monkeypatch.chdir(tmp_path)

    assert open_assistant("Harbour guide", warm_home).name == "Tide tutor"
    with pytest.raises(AssistantMissingError):
        find_pack("Tide tutor", warm_home)


def test_an_assistant_without_files_has_no_knowledge(tmp_path, home):
    assert not open_assistant(str(write_project(tmp_path / "tutor")), home).has_knowledge
    assert not open_assistant(str(write_plain_pack(tmp_path / "a.pack")), home).has_knowledge


def test_examples_are_at_most_as_many_as_the_assistant_shows(tmp_path, home):
    lines = "".join(f'{{"question": "q{number}", "answer": "a"}}\n' for number in range(6))
    folder = write_project(tmp_path / "tutor", settings="examples = 2\n", files={"examples.jsonl": lines})

    assert [example.question for example in open_assistant(str(folder), home).examples] == ["q0", "q1"]


@pytest.mark.parametrize("reference", ["nobody", "no/such.pack", "", "nul\0byte", "x" * 300])
def test_what_is_nothing_of_the_three_is_named(home, reference, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    with pytest.raises((AssistantMissingError, NoProjectError)) as raised:
        open_assistant(reference, home)

    assert raised.value.exit_code in {10, 18}


def test_what_is_no_pack_is_refused(home, tmp_path):
    (tmp_path / "a.pack").write_text("hello")

    with pytest.raises(NotAPackError):
        open_assistant(str(tmp_path / "a.pack"), home)


def test_a_pack_that_was_verified_and_then_harmed_is_verified_again(harbour, warm_home, tmp_path):
    pack = Path(shutil.copyfile(harbour.pack, tmp_path / "own.pack"))
    open_assistant(str(pack), warm_home)
    content = bytearray(pack.read_bytes())
    content[content.index(b"spring tide")] ^= 1
    pack.write_bytes(content)

    with pytest.raises(DamagedPackError, match=r"knowledge/"):
        open_assistant(str(pack), warm_home)


@pytest.mark.parametrize(
    ("name", "content"),
    [("instructions.md", b"\xff"), ("examples.jsonl", b"{"), ("examples.jsonl", b'{"question": 1}')],
)
def test_instructions_and_examples_that_cannot_be_read_are_damage(tmp_path, home, name, content):
    path = write_plain_pack(tmp_path / "a.pack")
    with open_pack(path, verify=True) as pack:
        manifest = pack.manifest
    contents = dict(sorted({**contents_of(path), name: content}.items()))

    with pytest.raises(DamagedPackError, match="its instructions or examples"):
        open_assistant(str(forge_pack(path, manifest, contents)), home)
