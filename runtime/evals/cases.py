"""`evals/cases.jsonl`: one case a line, a question and what is expected of the answer (DESIGN 6)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import msgspec
import regex

from satchel.runtime.project.errors import LineFormatError, ProjectFormatError
from satchel.runtime.project.schema import split_place

_SHAPE = (
    '{"id": "gate", "question": "When does the gate close?", '
    '"expect": {"file": "gate.txt", "page": 1, "contains": ["3.2 metres"]}}'
)


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
    """Words that stand in the answer or its first source, whatever their case."""
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


_NOTHING_EXPECTED = Expectation()


def read_cases(content: bytes, path: Path) -> tuple[Case, ...]:
    """Read a cases file.

    Raises:
        ProjectFormatError: names the file, the line and the key; also for an id used twice and a bad expression.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProjectFormatError(path=path, where=f"byte {error.start}", reason="it is not UTF-8") from error
    cases: dict[str, Case] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        case = _read_case(line, path, number)
        if case.id in cases:
            raise _wrong(path, f"line {number}, id", f'"{case.id}" is there twice')
        cases[case.id] = case
    return tuple(cases.values())


def encode_cases(cases: Iterable[Case]) -> bytes:
    """Return a cases file, a line a case; what has its default value is left out."""
    return b"".join(msgspec.json.encode(_without_defaults(case)) + b"\n" for case in cases)


def _without_defaults(case: Case) -> dict[str, Any]:
    expect = {
        key: value
        for key, value in msgspec.to_builtins(case.expect).items()
        if value != getattr(_NOTHING_EXPECTED, key)
    }
    if case.expect.tool is not None and case.expect.tool.arguments is None:
        expect["tool"] = {"name": case.expect.tool.name}
    return {"id": case.id, "question": case.question, "expect": expect} | ({"tags": case.tags} if case.tags else {})


def _read_case(line: str, path: Path, number: int) -> Case:
    try:
        case = msgspec.json.decode(line, type=Case)
    except msgspec.DecodeError as error:
        where, reason = split_place(str(error))
        raise _wrong(path, f"line {number}, {where}", reason) from error
    if case.expect.matches is not None:
        try:
            regex.compile(case.expect.matches)
        except regex.error as error:
            raise _wrong(path, f"line {number}, expect.matches", str(error)) from error
    return case


def _wrong(path: Path, where: str, reason: str) -> LineFormatError:
    return LineFormatError(path=path, where=where, reason=reason, shape=_SHAPE)
