"""Compare an answer with what its case expects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import regex

from satchel.runtime.evals.cases import Case, Expectation
from satchel.runtime.session.events import Source
from satchel.runtime.session.result import RunResult

_MOST_SECONDS = 2.0
"""For one expression: cases may come in a stranger's pack, and some expressions take for ever."""


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """How one case went; `failures` are in plain words, empty when it passed."""

    id: str
    question: str
    passed: bool
    retrieval_rank: int | None
    """Place of the first found passage from the expected file and page, from 1; None: not found or none expected."""
    answer: str
    failures: tuple[str, ...]
    milliseconds: float


def judge(case: Case, result: RunResult, retrieved: Sequence[Source]) -> CaseOutcome:
    """Return the outcome of a case; `retrieved` are the passages that its question found, best first."""
    failures = tuple(_failures(case.expect, result))
    return CaseOutcome(
        id=case.id,
        question=case.question,
        passed=not failures,
        retrieval_rank=_rank(case.expect, retrieved),
        answer=result.answer,
        failures=failures,
        milliseconds=result.timings_ms.get("total", 0.0),
    )


def could_not_answer(case: Case, reason: str) -> CaseOutcome:
    """Return the outcome of a case whose question could not be answered at all."""
    return CaseOutcome(
        id=case.id,
        question=case.question,
        passed=False,
        retrieval_rank=None,
        answer="",
        failures=(reason,),
        milliseconds=0.0,
    )


def _failures(expect: Expectation, result: RunResult) -> list[str]:
    failed = []
    first = result.sources[0] if result.sources else None
    if expect.refuses:
        if result.found:
            failed.append("it answered; it should have said that the files do not hold the answer")
    elif not result.found:
        failed.append("it said that the files do not hold the answer")
    if expect.file is not None and (first is None or first.file != expect.file):
        failed.append(f"the first source is {first.file if first else 'none'}, expected {expect.file}")
    elif expect.page is not None and (first is None or first.page != expect.page):
        there = f"is on page {first.page}" if first is not None and first.page is not None else "has no page"
        failed.append(f"the first source {there}, expected {expect.page}")
    said = "\n".join([result.answer, *(source.text for source in result.sources[:1])]).casefold()
    failed += [_missing(words, said) for words in expect.contains if words.casefold() not in said]
    if expect.matches is not None:
        failed += _mismatch(expect.matches, result.answer)
    if expect.tool is not None and not any(_matches_call(expect, call) for call in result.tool_calls):
        failed.append(f"{expect.tool.name} was not called as expected")
    return failed


def _missing(words: str, said: str) -> str:
    apart = words.split()
    nowhere = [word for word in apart if word.casefold() not in said]
    if len(apart) == 1:
        detail = ""
    elif nowhere:
        detail = f"; missing: {', '.join(nowhere)}"
    else:
        detail = "; each of its words is, but not together"
    return f'"{words}" is not in the answer or its first source{detail}'


def _mismatch(expression: str, answer: str) -> list[str]:
    try:
        found = regex.search(expression, answer, timeout=_MOST_SECONDS)
    except TimeoutError:
        return [f"whether the answer matches {expression} took longer than {_MOST_SECONDS:g} s"]
    return [] if found else [f"the answer does not match {expression}"]


def _matches_call(expect: Expectation, call: dict[str, object]) -> bool:
    assert expect.tool is not None
    given = call.get("arguments")
    wanted = expect.tool.arguments or {}
    return call.get("name") == expect.tool.name and isinstance(given, dict) and wanted.items() <= given.items()


def _rank(expect: Expectation, retrieved: Sequence[Source]) -> int | None:
    if expect.file is None:
        return None
    return next(
        (
            rank
            for rank, found in enumerate(retrieved, 1)
            if found.file == expect.file and expect.page in {None, found.page}
        ),
        None,
    )
