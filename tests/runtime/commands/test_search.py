"""`satchel search`."""

from __future__ import annotations

import pytest
from helpers.project_folders import write_project

from satchel.runtime.commands.search import search
from satchel.runtime.errors import CheckFailedError, UsageError
from satchel.runtime.packfile.errors import UnknownKnowledgeFileError
from satchel.runtime.project.errors import UnknownProjectFileError

QUESTION = "At what water level does the flood gate close?"


def test_passages_come_best_first_and_the_rest_is_counted(harbour, warm_home):
    found = search(str(harbour.pack), QUESTION, warm_home)

    assert found.passages[0].file == "gate.txt"
    assert found.files == ()
    assert found.below_gate + len(found.passages) == 5


def test_k_limits_and_without_the_gate_all_of_them_are_shown(harbour, warm_home):
    assert len(search(str(harbour.pack), QUESTION, warm_home, k=2, gated=False).passages) == 2
    everything = search(str(harbour.pack), QUESTION, warm_home, k=100, gated=False)
    assert len(everything.passages) == 5
    assert everything.below_gate == 0


def test_why_explains_every_file(harbour, warm_home):
    found = search(str(harbour.pack), QUESTION, warm_home, why=True, files=["gate.txt", "tides.md"])

    reasons = {file.file: file.reason for file in found.files}
    assert len(reasons) == 5
    assert reasons["gate.txt"].startswith("used")
    assert not next(file for file in found.files if file.file == "rules.docx").used


def test_a_file_that_is_not_there_is_named(harbour, warm_home):
    with pytest.raises(UnknownKnowledgeFileError):
        search(str(harbour.pack), QUESTION, warm_home, files=["none.md"])
    with pytest.raises(UnknownProjectFileError) as raised:
        search(str(harbour.folder), QUESTION, warm_home, files=["none.md"])
    assert raised.value.message.startswith(f"{harbour.folder} has no knowledge file none.md; it has: fees.csv, ")


def test_an_assistant_without_files_has_nothing_to_search(tmp_path, home):
    with pytest.raises(CheckFailedError, match="Tide tutor has no knowledge files to search"):
        search(str(write_project(tmp_path / "tutor")), QUESTION, home)


@pytest.mark.parametrize("k", [0, -3])
def test_fewer_than_one_passage_cannot_be_asked_for(harbour, warm_home, k):
    with pytest.raises(UsageError, match="at least 1"):
        search(str(harbour.pack), QUESTION, warm_home, k=k)


def test_an_empty_question_is_refused(harbour, warm_home):
    with pytest.raises(UsageError, match="the question is empty"):
        search(str(harbour.pack), "  ", warm_home)
