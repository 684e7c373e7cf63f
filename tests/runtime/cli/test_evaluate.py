"""`satchel eval`."""

from __future__ import annotations

import json

import pytest
from helpers.harbour import CASES
from helpers.project_folders import write_files

from satchel.runtime.cli.main import main

pytestmark = pytest.mark.usefixtures("warm_home")


def test_when_all_cases_pass_it_is_0_and_a_table(capsys, harbour):
    assert main(["eval", str(harbour.pack)]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["case", "result", "rank", "ms", "answer"]
    assert lines[1].startswith("gate     pass       1 ")
    assert lines[-1] == "3 of 3 pass (reader)"


def test_when_one_fails_it_is_1_and_says_why(capsys, harbour_folder):
    wrong = {"id": "wrong", "question": "Where is diesel sold?", "expect": {"contains": ["noon"]}}
    write_files(harbour_folder, {"evals/cases.jsonl": CASES + json.dumps(wrong)})

    assert main(["eval", str(harbour_folder)]) == 1

    out = capsys.readouterr().out
    assert "wrong    FAIL" in out
    assert '         "noon" is not in the answer' in out
    assert out.endswith("3 of 4 pass (reader)\n")


def test_json_holds_the_same(capsys, harbour):
    assert main(["eval", str(harbour.pack), "--tag", "gate", "--json"]) == 0

    done = json.loads(capsys.readouterr().out)
    assert (done["assistant"], done["model"], done["passed"]) == ("Harbour guide", "reader", 1)
    (case,) = done["cases"]
    assert sorted(case) == ["answer", "failures", "id", "milliseconds", "passed", "question", "retrieval_rank"]


def test_a_tag_that_no_case_has_is_an_error(capsys, harbour):
    assert main(["eval", str(harbour.pack), "--tag", "none", "--json"]) == 19
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "no-cases"
