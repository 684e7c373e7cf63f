"""Saving changes what was changed, and nothing else that a person wrote."""

from __future__ import annotations

import msgspec
import pytest
from helpers.assistants import ASSISTANTS
from helpers.project_folders import ASSISTANT_ID, SETTINGS, snapshot, write_project
from hypothesis import given, settings
from hypothesis import strategies as st

from satchel.runtime.project.errors import ProjectFormatError
from satchel.runtime.project.folder import load_project
from satchel.runtime.project.save import save_assistant
from satchel.runtime.project.schema import Assistant, Sampling, Tool, parse_assistant
from satchel.runtime.project.template import create_project

COMMENTED = f"""# My assistant
name = "Tide tutor"   # as the harbour knows it
id = "{ASSISTANT_ID}"
format = 1

[retrieval]  # found by trial
# six were too many
k = 4
rerank = false

[knowledge]
links = [
    "../notes",  # the wiki
]
"""


def change(assistant: Assistant, **changes: object) -> Assistant:
    return msgspec.structs.replace(assistant, **changes)


def test_comments_order_and_layout_survive_a_change(tmp_path):
    folder = write_project(tmp_path, files={"assistant.toml": COMMENTED})
    assistant = load_project(folder).assistant

    save_assistant(folder, change(assistant, retrieval=change(assistant.retrieval, k=9)))

    assert (folder / "assistant.toml").read_text() == COMMENTED.replace("k = 4", "k = 9")


def test_saving_what_was_loaded_changes_no_byte(tmp_path):
    folder = write_project(tmp_path, files={"assistant.toml": COMMENTED})

    save_assistant(folder, load_project(folder).assistant)

    assert (folder / "assistant.toml").read_text() == COMMENTED


def test_a_stated_default_stays_stated_and_other_defaults_stay_out(tmp_path):
    folder = write_project(tmp_path, settings="author = ''\n")
    assistant = load_project(folder).assistant

    save_assistant(folder, change(assistant, description="new"))

    text = (folder / "assistant.toml").read_text()
    assert "author = ''" in text
    assert 'description = "new"' in text
    assert "greeting" not in text
    assert "[sampling]" not in text


def test_a_tool_that_needs_nothing_is_one_line_and_what_is_stated_of_another_stays(tmp_path):
    folder = write_project(tmp_path, settings="[tools.clock]\nrequests = []\n")
    assistant = load_project(folder).assistant
    save_assistant(folder, change(assistant, tools={**assistant.tools, "calculator": Tool()}))
    assert (folder / "assistant.toml").read_text() == SETTINGS + "[tools.clock]\nrequests = []\n\n[tools.calculator]\n"


def test_a_key_set_back_to_nothing_leaves_the_file(tmp_path):
    folder = write_project(tmp_path, settings="[sampling]\nseed = 7\ntop_k = 5\n")
    assistant = load_project(folder).assistant

    save_assistant(folder, change(assistant, sampling=change(assistant.sampling, seed=None)))

    assert "seed" not in (folder / "assistant.toml").read_text()
    assert load_project(folder).assistant.sampling == Sampling(top_k=5)


def test_line_ends_of_windows_stay_and_the_byte_order_mark_goes(tmp_path):
    windows = COMMENTED.replace("\n", "\r\n")
    folder = write_project(tmp_path, files={"assistant.toml": "\ufeff" + windows})
    assistant = load_project(folder).assistant

    save_assistant(folder, change(assistant, retrieval=change(assistant.retrieval, k=9), author="Ada"))

    content = (folder / "assistant.toml").read_bytes().decode()
    assert "\ufeff" not in content
    assert content.count("\n") == content.count("\r\n")
    assert load_project(folder).assistant.author == "Ada"


def test_a_file_that_was_broken_meanwhile_is_an_error_and_is_left_as_it_is(tmp_path):
    folder = write_project(tmp_path)
    assistant = load_project(folder).assistant
    for broken in (b"name = ", b"caf\xe9"):
        (folder / "assistant.toml").write_bytes(broken)

        with pytest.raises(ProjectFormatError, match=r"assistant\.toml"):
            save_assistant(folder, assistant)

        assert snapshot(folder) == {"assistant.toml": broken}


@pytest.mark.parametrize("start", ["nothing", "three keys", "comments", "a template"])
@settings(max_examples=25)
@given(steps=st.lists(ASSISTANTS, min_size=1, max_size=3))
def test_whatever_is_saved_is_loaded_again_over_whatever_was_there(start, steps, tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    match start:
        case "three keys":
            write_project(folder, files={"assistant.toml": SETTINGS})
        case "comments":
            write_project(folder, files={"assistant.toml": COMMENTED})
        case "a template":
            create_project(folder, template="tutor")

    for assistant in steps:
        save_assistant(folder, assistant)

        path = folder / "assistant.toml"
        assert parse_assistant(path.read_text(encoding="utf-8"), path) == assistant
