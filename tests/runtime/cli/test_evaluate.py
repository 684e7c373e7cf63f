"""`satchel eval`."""

from __future__ import annotations

import json

import pytest
from helpers.project_folders import write_project

from satchel.runtime.cli.main import main

pytestmark = pytest.mark.usefixtures("warm_home")


def test_when_all_cases_pass_it_is_0_and_a_table(capsys, harbour):
    assert main(["eval", str(harbour.pack)]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["case", "result", "rank", "ms", "answer"]
    assert lines[1].startswith("gate     pass       1 ")
    assert lines[-1] == "3 of 3 pass (reader)"


def test_when_one_fails_it_is_1_and_says_why(capsys, tmp_path):
    cases = [
        {"id": "right", "question": "thanks", "expect": {"contains": ["welcome"]}},
        {"id": "wrong", "question": "thanks", "expect": {"contains": ["noon"]}},
    ]
    folder = write_project(tmp_path / "tutor", files={"evals/cases.jsonl": "\n".join(map(json.dumps, cases))})

    assert main(["eval", str(folder)]) == 1

    out = capsys.readouterr().out
    assert "right  pass  " in out
    assert "wrong  FAIL  " in out
    assert '       "noon" is not in the answer' in out
    assert out.endswith("1 of 2 pass (reader)\n")


def test_json_holds_the_same(capsys, harbour):
    assert main(["eval", str(harbour.pack), "--tag", "gate", "--json"]) == 0

    done = json.loads(capsys.readouterr().out)
    assert (done["assistant"], done["model"], done["passed"]) == ("Harbour guide", "reader", 1)
    (case,) = done["cases"]
    assert sorted(case) == ["answer", "failures", "id", "milliseconds", "passed", "question", "retrieval_rank"]


def test_a_tag_that_no_case_has_is_an_error(capsys, harbour):
    assert main(["eval", str(harbour.pack), "--tag", "none", "--json"]) == 19
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "no-cases"
