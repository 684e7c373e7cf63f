"""New projects: complete, valid, and never in the way of what is there."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import msgspec
import pytest
from helpers.project_folders import snapshot, write_files
from helpers.python_processes import run_python

from satchel.runtime.commands.add import add_knowledge
from satchel.runtime.errors import SaveError
from satchel.runtime.project.errors import FolderNotEmptyError, UnknownTemplateError
from satchel.runtime.project.folder import load_project
from satchel.runtime.project.save import save_assistant
from satchel.runtime.project.schema import Assistant, parse_assistant
from satchel.runtime.project.template import DEFAULT_TEMPLATE, create_project, list_templates
from satchel.runtime.project.tool_checks import check_tools

TEMPLATES = [template.name for template in list_templates()]


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_makes_a_project_that_loads(tmp_path, template):
    project = create_project(tmp_path / "harbour-guide", template=template)

    assert project == load_project(tmp_path / "harbour-guide")
    assert project.assistant.name == "Harbour guide"
    assert (project.folder / "knowledge").is_dir()
    assert sorted(snapshot(project.folder)) == [
        "assistant.toml",
        "evals/cases.jsonl",
        "examples.jsonl",
        "instructions.md",
    ]


def test_the_default_is_one_of_the_templates_and_all_say_what_they_are_for():
    assert DEFAULT_TEMPLATE in TEMPLATES
    assert all(template.purpose for template in list_templates())


def test_the_defaults_shown_in_comments_are_the_real_ones(tmp_path):
    text = (create_project(tmp_path / "x").folder / "assistant.toml").read_text()
    shown = "\n".join(
        line.removeprefix("# ") if " = " in line else line
        for line in text.splitlines()
        if not line.startswith(("# seed", "# models"))
    )
    stated = tomllib.loads(shown)
    defaults = Assistant(id=stated["id"], name="x")

    for section in ("retrieval", "sampling", "knowledge"):
        assert stated[section], section
        for key, value in stated[section].items():
            assert getattr(getattr(defaults, section), key) == value, key
    assert (stated["examples"], stated["attribution"]) == (defaults.examples, defaults.attribution)


def test_what_is_added_later_is_written_in_its_place_and_the_comments_stay_true(tmp_path):
    folder = create_project(tmp_path / "tutor").folder
    (tmp_path / "notes").mkdir()
    before = load_project(folder).assistant

    add_knowledge(folder, [tmp_path / "notes"], link=True)
    save_assistant(folder, msgspec.structs.replace(load_project(folder).assistant, attribution="CC BY"))

    text = (folder / "assistant.toml").read_text()
    assert 'links = ["../notes"]' in text.partition("[knowledge]")[2]
    uncommented = re.sub(r"^# (?=\w+ = )(?!attribution)", "", text, flags=re.MULTILINE)
    everything = parse_assistant(uncommented, folder / "assistant.toml")
    assert everything.knowledge == msgspec.structs.replace(before.knowledge, links=["../notes"])
    assert everything.attribution == "CC BY"
    assert [model.family for model in everything.models] == ["qwen3"]


def test_each_project_is_an_assistant_of_its_own(tmp_path):
    assert create_project(tmp_path / "a").assistant.id != create_project(tmp_path / "b").assistant.id


@pytest.mark.parametrize(
    ("folder", "name", "title"),
    [
        ("my_notes-2", None, "My notes 2"),
        ("x", "Ebbe & Flut 🌊", "Ebbe & Flut 🌊"),
        ("x", "  ", "X"),
        ("x", "two\nlines", "two lines"),
        ("x", "a" * 300, "a" * 100),
        ("---", None, "Assistant"),
        ("caf\udce9", None, "Caf"),
        ("x", "lone \udce9 byte", "lone byte"),
    ],
)
def test_a_title_comes_from_the_name_or_the_folder_and_fits_on_a_line(tmp_path, folder, name, title):
    project = create_project(Path(os.fsdecode(os.fsencode(tmp_path / folder))), name=name)

    assert project.assistant.name == title


def test_the_current_folder_gives_its_name(tmp_path, monkeypatch):
    (tmp_path / "harbour").mkdir()
    monkeypatch.chdir(tmp_path / "harbour")

    assert create_project(Path()).assistant.name == "Harbour"


def test_an_unknown_template_names_those_that_there_are(tmp_path):
    with pytest.raises(UnknownTemplateError) as raised:
        create_project(tmp_path / "x", template="poet")

    assert raised.value.message == f'There is no template called "poet"; there are: {", ".join(TEMPLATES)}.'
    assert not (tmp_path / "x").exists()


def test_an_empty_folder_is_used(tmp_path):
    (tmp_path / "x").mkdir()

    assert create_project(tmp_path / "x").folder == tmp_path / "x"


@pytest.mark.parametrize("there", ["x/anything", "x/.hidden", "x"])
def test_what_is_there_is_never_touched(tmp_path, there):
    write_files(tmp_path, {there: "mine"})

    with pytest.raises(FolderNotEmptyError):
        create_project(tmp_path / "x")

    assert snapshot(tmp_path) == {there: b"mine"}


@pytest.mark.parametrize("folder", ["file/x", "y" * 300])
def test_a_place_where_no_folder_can_be_made_is_an_error(tmp_path, folder):
    write_files(tmp_path, {"file": ""})

    with pytest.raises(SaveError):
        create_project(tmp_path / folder)


def test_a_full_disk_leaves_no_half_made_project_and_the_name_can_be_used_again(tmp_path):
    program = """
import resource, sys
from pathlib import Path
from satchel.runtime.errors import SaveError
from satchel.runtime.project.template import create_project
folder = Path(sys.argv[1])
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (600, limits[1]))
try:
    create_project(folder)
except SaveError as error:
    print(error.exit_code, list(folder.iterdir()))
resource.setrlimit(resource.RLIMIT_FSIZE, limits)
print(create_project(folder).assistant.name)
"""
    finished = run_python(program, str(tmp_path / "tides"))

    assert finished.stdout == "61 []\nTides\n", finished.stderr


def test_the_template_with_tools_asks_for_what_its_instructions_speak_of(tmp_path):
    project = create_project(tmp_path / "sums", template="tools")
    assert {name: tool.requests for name, tool in project.assistant.tools.items()} == {
        "calculator": [], "clock": [], "python": ["code.run"], "search_knowledge": []
    }  # fmt: skip
    assert all(f"`{name}`" in project.instructions for name in project.assistant.tools)
    check_tools(project)
