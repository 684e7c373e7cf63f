"""The saved cases and how they went, without a widget."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from satchel.builder.language import translate
from satchel.runtime.commands.evaluate import Evaluation
from satchel.runtime.evals.cases import Case, Expectation
from satchel.runtime.evals.judge import CaseOutcome

_WORD = re.compile(r"[a-z0-9]+")
_ID_WORDS = 4


def new_case(cases: Sequence[Case], question: str = "") -> Case:
    """Return a case with an id that no other has."""
    return Case(_free_id(question, {case.id for case in cases}), question, Expectation())


def with_question(case: Case, question: str, cases: Iterable[Case]) -> Case:
    """Return the case with another question; one that had none gets an id that says what it is about."""
    if case.question.strip():
        return msgspec.structs.replace(case, question=question)
    taken = {other.id for other in cases if other.id != case.id}
    return msgspec.structs.replace(case, question=question, id=_free_id(question, taken))


def with_expected(case: Case, **changes: Any) -> Case:
    """Return the case with other expectations; what has no field in the form stays as it is."""
    return msgspec.structs.replace(case, expect=msgspec.structs.replace(case.expect, **changes))


@dataclass(frozen=True, slots=True)
class Mark:
    """How a case went."""

    passed: bool
    words: str
    answer: str


def marks(evaluation: Evaluation) -> dict[str, Mark]:
    """Return the marks by the cases' ids."""
    return {outcome.id: Mark(outcome.passed, _words(outcome), outcome.answer) for outcome in evaluation.outcomes}


def also_expected(case: Case) -> str:
    """Return in words what the form has no field for; empty for nothing."""
    said = []
    if case.expect.matches is not None:
        said.append(translate("Evals", "the answer matches {expression}", expression=case.expect.matches))
    if case.expect.tool is not None:
        said.append(translate("Evals", "the tool {tool} is called", tool=case.expect.tool.name))
    return "; ".join(said)


def _words(outcome: CaseOutcome) -> str:
    if outcome.passed:
        seconds = outcome.milliseconds / 1000
        return translate("Evals", "passed in {n} s", n=f"{seconds:.1f}")
    said = "; ".join(outcome.failures)
    if outcome.retrieval_rank is not None:
        said += translate("Evals", "; the expected place was found as number {n}", n=outcome.retrieval_rank)
    return said


def _free_id(question: str, taken: set[str]) -> str:
    stem = "-".join(_WORD.findall(question.casefold())[-_ID_WORDS:]) or "case"
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    return name
