"""The form's meaning, without a widget: merging, undo, the journal, what can be saved."""

from __future__ import annotations

import pytest
from helpers.project_folders import ASSISTANT_ID, write_project
from hypothesis import given
from hypothesis import strategies as st

from satchel.builder.editor.draft import Draft, answers_differ, estimate_tokens, merged, problem_of
from satchel.builder.editor.saving import drop_journal, open_draft, read_disk, save_draft, write_journal
from satchel.builder.editor.undo import Undo
from satchel.runtime.evals.cases import Case, Expectation
from satchel.runtime.paths import Home
from satchel.runtime.project.errors import ProjectFormatError
from satchel.runtime.project.schema import Assistant, Retrieval


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "data", tmp_path / "cache", tmp_path / "settings")


@pytest.fixture
def folder(tmp_path):
    return write_project(
        tmp_path / "tides",
        settings='greeting = "Ahoy"  # as sailors say\n[retrieval]\nk = 4\n',
        files={"instructions.md": "Be short.\r\nBe kind.\r\n", "evals/cases.jsonl": ""},
    )


def test_a_draft_is_saved_with_the_comments_and_line_ends_that_were_there(folder):
    disk, _ = read_disk(folder)
    case = Case("a", "When?", Expectation(page=2))
    empty = Case("b", " ", Expectation())
    renamed = disk.but(name="Tide master").assistant
    changed = Draft(renamed, disk.instructions + "Be quick.\n", (case, empty), b"png")
    saved = save_draft(folder, disk, changed)
    assert saved == changed
    assert "# as sailors say" in (folder / "assistant.toml").read_text()
    assert (folder / "instructions.md").read_bytes() == b"Be short.\r\nBe kind.\r\nBe quick.\r\n"
    assert read_disk(folder)[0].cases == (case,)
    assert (folder / "avatar.png").read_bytes() == b"png"


def test_what_another_program_wrote_meanwhile_stays_where_the_form_did_not_touch_it(folder):
    base, _ = read_disk(folder)
    text = (folder / "assistant.toml").read_text()
    (folder / "assistant.toml").write_text(text.replace("k = 4", "k = 9").replace("Ahoy", "Hello"))
    mine = base.but(greeting="Moin", retrieval=Retrieval(k=4, rerank=True))
    saved = save_draft(folder, base, mine)
    assert saved.assistant.greeting == "Moin"
    assert (saved.assistant.retrieval.k, saved.assistant.retrieval.rerank) == (9, True)


@given(st.text(max_size=5), st.text(max_size=5), st.text(max_size=5))
def test_a_merge_takes_the_side_that_changed(base, mine, theirs):
    result = merged(draft_of(base), draft_of(mine), draft_of(theirs))
    assert result.instructions == (theirs if mine == base else mine)
    assert merged(draft_of(base), draft_of(mine), draft_of(base)) == draft_of(mine)


def draft_of(text):
    return Draft(Assistant(id=ASSISTANT_ID, name="A", greeting=text), text)


def test_what_was_not_saved_is_there_again_even_what_cannot_be_saved(folder, home):
    disk, _ = read_disk(folder)
    draft = Draft(disk.but(name="", greeting="Moin").assistant, "Half a sent")
    write_journal(folder, home, disk, draft)
    opened = open_draft(folder, home)
    assert opened.recovered
    assert (opened.draft.instructions, opened.draft.assistant.greeting) == ("Half a sent", "Moin")
    assert opened.draft.assistant.name == "Tide tutor"
    drop_journal(folder, home)
    assert not open_draft(folder, home).recovered


def test_a_journal_that_is_damaged_counts_as_none(folder, home):
    disk, _ = read_disk(folder)
    write_journal(folder, home, disk, disk.but(name="Other"))
    (path,) = home.data.rglob("journal.json")
    path.write_bytes(path.read_bytes()[:-4])
    assert open_draft(folder, home).draft == disk


def test_cases_that_cannot_be_read_are_told_and_left_alone(folder, home):
    (folder / "evals" / "cases.jsonl").write_text('{"id": 1}\n')
    opened = open_draft(folder, home)
    assert "cases.jsonl: line 1" in opened.cases_problem
    save_draft(folder, opened.disk, opened.draft.but(name="Other"))
    assert (folder / "evals" / "cases.jsonl").read_text() == '{"id": 1}\n'


def test_a_project_that_was_broken_meanwhile_is_an_error_and_nothing_is_written(folder):
    disk, _ = read_disk(folder)
    (folder / "assistant.toml").write_text("name = ")
    with pytest.raises(ProjectFormatError):
        save_draft(folder, disk, disk.but(name="Other"))
    assert (folder / "assistant.toml").read_text() == "name = "


def test_what_keeps_a_draft_from_being_saved_is_named(folder):
    disk, _ = read_disk(folder)
    assert problem_of(disk) == ("", "")
    assert problem_of(disk.but(name=" "))[0] == "name"
    assert problem_of(disk.but(retrieval=Retrieval(k=0)))[0] == "retrieval.k"
    assert problem_of(disk.but(retrieval=Retrieval(passage_tokens=100, overlap_tokens=60)))[0].endswith(
        "overlap_tokens"
    )


def test_only_what_can_change_an_answer_makes_answers_old(folder):
    disk, _ = read_disk(folder)
    assert not answers_differ(disk, disk.but(description="Another", version="2.0.0"))
    assert answers_differ(disk, disk.but(retrieval=Retrieval(k=9)))


def test_typing_in_one_field_is_one_step_and_a_pause_begins_another():
    drafts = [draft_of(str(n)) for n in range(5)]
    undo = Undo()
    undo.note(drafts[0], "name", 0.0)
    undo.note(drafts[1], "name", 1.0)
    undo.note(drafts[2], "greeting", 1.1)
    undo.note(drafts[3], "greeting", 9.0)
    assert undo.undo(drafts[4]) == drafts[3]
    assert undo.undo(drafts[3]) == drafts[2]
    assert undo.undo(drafts[2]) == drafts[0]
    assert undo.undo(drafts[0]) is None
    assert undo.redo(drafts[0]) == drafts[2]
    undo.note(drafts[2], "name", 20.0)
    assert not undo.can_redo


@given(st.text(max_size=200))
def test_a_longer_text_never_counts_fewer_tokens(text):
    assert 0 <= estimate_tokens(text) <= len(text)
    assert estimate_tokens(text + " word") >= estimate_tokens(text)
