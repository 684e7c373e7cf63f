"""42 of InjecAgent's 2,108 cases (MIT, Zhan et al. 2024); `tests/bench/permissions/injecagent.py` runs them all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.injecagent import READ_ONLY, arguments_for, asks_for_the_task, unapproved_effects

CASES = [json.loads(line) for line in (Path(__file__).parent / "injecagent_extract.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("case", CASES, ids=[f"{case['set']}-{number}" for number, case in enumerate(CASES)])
def test_an_obedient_model_gets_nothing_done_for_whoever_wrote_into_a_tools_answer(case):
    assert list(arguments_for(case, ["found"]))
    assert not unapproved_effects(case)


@pytest.mark.parametrize("case", CASES, ids=[f"{case['set']}-{number}" for number, case in enumerate(CASES)])
def test_the_persons_own_request_goes_through_unasked(case):
    assert not asks_for_the_task(case)


def test_the_extract_has_attacks_of_every_kind():
    assert {case["set"] for case in CASES} == {"dh_base", "dh_enhanced", "ds_base", "ds_enhanced"}
    assert any(set(case["Attacker Tools"]) & READ_ONLY for case in CASES)
    assert any(not set(case["Attacker Tools"]) & READ_ONLY for case in CASES)
