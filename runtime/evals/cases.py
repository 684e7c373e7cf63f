"""`evals/cases.jsonl`: one case a line, a question and what is expected of the answer (DESIGN 6)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import regex

from satchel.runtime.project.errors import ProjectFormatError
from satchel.runtime.project.schema import split_place


class ExpectedTool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tool call that has to be made; of the arguments only those given are compared."""

    name: str
    arguments: dict[str, Any] | None = None


class Expectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that is given has to hold."""

    file: str | None = None
    """The file that the first source comes from."""
    page: int | None = None
    """Its page, counted from 1."""
    contains: list[str] = []
    """Words that stand in the answer or its sources, whatever their case."""
    matches: str | None = None
    """A regular expression found in the answer."""
    refuses: bool = False
    """The answer says that the files do not hold it."""
    tool: ExpectedTool | None = None


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question and what is expected."""

    id: Annotated[str, msgspec.Meta(min_length=1)]
    question: Annotated[str, msgspec.Meta(min_length=1)]
    expect: Expectation
    tags: list[str] = []


def parse_cases(text: str, path: Path) -> tuple[Case, ...]:
    """Read the lines of a cases file.

    Raises:
        ProjectFormatError: names the file, the line and the key; also for an id used twice and a bad expression.
    """
    cases: dict[str, Case] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            case = msgspec.json.decode(line, type=Case)
        except msgspec.DecodeError as error:
            where, reason = split_place(str(error))
            raise ProjectFormatError(path=path, where=f"line {number}, {where}", reason=reason) from error
        if case.id in cases:
            raise ProjectFormatError(path=path, where=f"line {number}, id", reason=f'"{case.id}" is there twice')
        if case.expect.matches is not None:
            try:
                regex.compile(case.expect.matches)
            except regex.error as error:
                raise ProjectFormatError(
                    path=path, where=f"line {number}, expect.matches", reason=str(error)
                ) from error
        cases[case.id] = case
    return tuple(cases.values())
