"""`satchel eval`: an assistant's saved cases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.harbour import CASES
from helpers.packs import write_plain_pack
from helpers.project_folders import write_files, write_project
from helpers.tiny_gguf import TinyModel, write_gguf

from satchel.runtime.commands.answer import AnswerOptions
from satchel.runtime.commands.evaluate import NoCasesError, evaluate
from satchel.runtime.errors import CancelledError
from satchel.runtime.project.errors import ProjectFormatError
from satchel.runtime.session.choosing import ModelRequest
from satchel.runtime.session.history import History

QUOTING = AnswerOptions(ModelRequest("reader"))


def test_cases_of_a_pack_are_asked_and_judged(harbour, warm_home):
    steps: list[tuple[str, int, int | None]] = []

    done = evaluate(str(harbour.pack), QUOTING, warm_home, progress=lambda *step: steps.append(step))

    assert [(outcome.id, outcome.failures) for outcome in done.outcomes] == [
        ("gate", ()),
        ("fuel", ()),
        ("refusal", ()),
    ]
    assert done.passed == 3
    assert (done.assistant, done.model) == ("Harbour guide", "reader")
    assert done.outcomes[0].retrieval_rank == 1
    assert all(outcome.milliseconds > 0 for outcome in done.outcomes)
    assert steps[-1] == ("asking", 3, 3)


def test_nothing_of_it_is_kept_in_the_history(harbour, warm_home):
    evaluate(str(harbour.pack), QUOTING, warm_home, tags=("gate",))

    with History(warm_home.history) as history:
        assert history.chats() == ()


def test_only_cases_with_one_of_the_tags_are_asked(harbour, warm_home):
    assert [outcome.id for outcome in evaluate(str(harbour.pack), QUOTING, warm_home, tags=("gate",)).outcomes] == [
        "gate"
    ]
    with pytest.raises(NoCasesError, match="has no saved cases with the tag other"):
        evaluate(str(harbour.pack), QUOTING, warm_home, tags=("other",))


def test_a_case_that_fails_says_why(harbour_folder, warm_home):
    case = {"id": "wrong", "question": "Where is diesel sold?", "expect": {"file": "gate.txt", "contains": ["noon"]}}
    write_files(harbour_folder, {"evals/cases.jsonl": CASES + json.dumps(case)})

    done = evaluate(str(harbour_folder), QUOTING, warm_home)

    assert done.passed == 3
    assert done.outcomes[-1].failures == (
        "the first source is handbook.pdf, expected gate.txt",
        '"noon" is not in the answer or its first source',
    )


def test_a_question_that_cannot_be_answered_fails_its_case_and_not_the_others(tmp_path, home):
    model = write_gguf(tmp_path / "tiny.gguf", TinyModel(context=256))
    cases = [
        {"id": "long", "question": "tide " * 2000, "expect": {}},
        {"id": "short", "question": "tide?", "expect": {}},
    ]
    folder = write_project(
        tmp_path / "tutor",
        settings="[sampling]\nmax_tokens = 4\n",
        files={"evals/cases.jsonl": "\n".join(map(json.dumps, cases))},
    )

    long, short = evaluate(str(folder), AnswerOptions(ModelRequest(str(model))), home).outcomes

    assert not long.passed
    assert long.failures[0].startswith("The question does not fit: ")
    assert short.passed


def test_an_assistant_without_cases_has_none(tmp_path, home):
    for reference in (write_project(tmp_path / "tutor"), write_plain_pack(tmp_path / "a.pack")):
        with pytest.raises(NoCasesError, match="has no saved cases"):
            evaluate(str(reference), QUOTING, home)


def test_a_wrong_line_is_named_before_anything_is_asked(tmp_path, home):
    folder = write_project(tmp_path / "tutor", files={"evals/cases.jsonl": '{"id": "a"}'})

    with pytest.raises(ProjectFormatError, match=r"cases\.jsonl: line 1, top level: the key `question` is missing"):
        evaluate(str(folder), QUOTING, home)


def test_cases_that_are_no_text_are_named(tmp_path, home):
    folder = write_project(tmp_path / "tutor", files={"evals/cases.jsonl": b"\xff\xfe"})

    with pytest.raises(ProjectFormatError, match=r"cases\.jsonl: byte 0: it is not UTF-8"):
        evaluate(str(folder), QUOTING, home)


def test_it_can_be_cancelled_between_two_cases(harbour, warm_home):
    def cancel(stage: str, done: int, _total: int | None) -> None:
        if (stage, done) == ("asking", 1):
            raise CancelledError

    with pytest.raises(CancelledError):
        evaluate(str(harbour.pack), QUOTING, warm_home, progress=cancel)


def test_the_pack_may_lie_anywhere(harbour, warm_home, monkeypatch):
    monkeypatch.chdir(harbour.pack.parent)

    assert evaluate("harbour.pack", QUOTING, warm_home, tags=("gate",)).passed == 1
    assert Path("harbour.pack").is_file()
