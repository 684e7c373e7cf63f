"""Whether an answer is what its case expects, and in plain words why not."""

from __future__ import annotations

import msgspec
import pytest

from satchel.runtime.evals.cases import Case, Expectation, ExpectedTool
from satchel.runtime.evals.judge import judge
from satchel.runtime.session.events import Source, Usage
from satchel.runtime.session.result import RunResult, SourceResult

GATE = SourceResult(1, "gate.txt", None, 0, 36, "The flood gate closes at 3.2 metres.", 0.9)
FUEL = SourceResult(2, "handbook.pdf", 2, 0, 31, "Diesel is sold at the pier.", 0.5)


def answered(answer: str = "3.2 metres", **changes) -> RunResult:
    values = {
        "answer": answer,
        "found": True,
        "mode": "quote",
        "grounded": None,
        "sources": [GATE, FUEL],
        "tool_calls": [],
        "artefacts": [],
        "warnings": [],
        "model": "reader",
        "pack_id": "",
        "usage": Usage(),
        "timings_ms": {"total": 12.5},
    }
    return RunResult(**{**values, **changes})


def failures(result: RunResult, **expect) -> tuple[str, ...]:
    outcome = judge(Case("c", "q", Expectation(**expect)), result, ())
    assert outcome.passed == (not outcome.failures)
    return outcome.failures


NOT_FOUND = answered("The files do not hold the answer.", found=False, sources=[])


@pytest.mark.parametrize(
    ("result", "expect"),
    [
        (answered(), {}),
        (answered(), {"file": "gate.txt"}),
        (answered(sources=[FUEL, GATE]), {"file": "handbook.pdf", "page": 2}),
        (answered(), {"contains": ["3.2 METRES"]}),
        (answered(), {"contains": ["flood gate"]}),  # in the first source's sentence
        (answered(), {"matches": r"\d+\.\d metres"}),
        (NOT_FOUND, {"refuses": True}),
    ],
)
def test_an_answer_that_is_as_expected_passes(result, expect):
    assert failures(result, **expect) == ()


@pytest.mark.parametrize(
    ("result", "expect", "why"),
    [
        (NOT_FOUND, {}, "it said that the files do not hold the answer"),
        (answered(), {"refuses": True}, "it answered; it should have said that the files do not hold the answer"),
        (answered(), {"file": "tides.md"}, "the first source is gate.txt, expected tides.md"),
        (answered(sources=[]), {"file": "tides.md"}, "the first source is none, expected tides.md"),
        (answered(sources=[FUEL]), {"page": 3}, "the first source is on page 2, expected 3"),
        (answered(), {"page": 3}, "the first source has no page, expected 3"),
        (answered(), {"contains": ["metres", "noon"]}, '"noon" is not in the answer or its first source'),
        (
            answered(),
            {"contains": ["diesel"]},
            '"diesel" is not in the answer or its first source',
        ),  # but in the second
        (
            answered(),
            {"contains": ["metres at noon sharp"]},
            '"metres at noon sharp" is not in the answer or its first source; missing: noon, sharp',
        ),
        (
            answered(),
            {"contains": ["metres 3.2"]},
            '"metres 3.2" is not in the answer or its first source; each of its words is, but not together',
        ),
        (answered(), {"matches": "^[a-z]+$"}, "the answer does not match ^[a-z]+$"),
        (answered(), {"tool": ExpectedTool("calculate")}, "calculate was not called as expected"),
    ],
)
def test_what_is_not_as_expected_is_told_in_words(result, expect, why):
    assert failures(result, **expect) == (why,)


def test_an_expression_that_would_take_for_ever_fails(monkeypatch):
    monkeypatch.setattr("satchel.runtime.evals.judge._MOST_SECONDS", 0.05)

    (why,) = failures(answered("a" * 60 + "!"), matches="(a|aa)+$")

    assert why == "whether the answer matches (a|aa)+$ took longer than 0.05 s"


def test_everything_that_is_wrong_is_told():
    assert len(failures(NOT_FOUND, file="gate.txt", contains=["3.2"], matches="3.2")) == 4


@pytest.mark.parametrize(
    ("arguments", "passes"),
    [(None, True), ({}, True), ({"a": 1}, True), ({"a": 2}, False), ({"b": 1}, False)],
)
def test_of_a_tools_arguments_only_those_given_are_compared(arguments, passes):
    called = answered(tool_calls=[{"name": "add", "arguments": {"a": 1, "c": 3}}, {"name": "other", "arguments": {}}])

    assert (failures(called, tool=ExpectedTool("add", arguments)) == ()) is passes


def test_the_rank_is_that_of_the_first_passage_from_the_expected_place():
    def passage(number: int, file: str, page: int | None) -> Source:
        return Source(number, file, page, 0, 1, "x", 1.0)

    retrieved = [passage(1, "gate.txt", None), passage(2, "handbook.pdf", 1), passage(3, "handbook.pdf", 2)]

    def rank(**expect) -> int | None:
        return judge(Case("c", "q", Expectation(**expect)), answered(), retrieved).retrieval_rank

    assert rank(file="handbook.pdf") == 2
    assert rank(file="handbook.pdf", page=2) == 3
    assert rank(file="handbook.pdf", page=9) is None
    assert rank(file="tides.md") is None
    assert rank() is None


def test_an_outcome_carries_the_answer_and_its_time():
    outcome = judge(Case("gate", "When?", Expectation()), answered(), ())

    assert msgspec.to_builtins(outcome) == {
        "id": "gate",
        "question": "When?",
        "passed": True,
        "retrieval_rank": None,
        "answer": "3.2 metres",
        "failures": (),
        "milliseconds": 12.5,
    }
