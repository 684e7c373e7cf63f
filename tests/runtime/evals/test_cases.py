"""Reading `evals/cases.jsonl`."""

from __future__ import annotations

from pathlib import Path

import pytest

from satchel.runtime.evals import cases
from satchel.runtime.evals.cases import Case, Expectation, ExpectedTool, read_cases
from satchel.runtime.project.errors import ProjectFormatError

PATH = Path("evals/cases.jsonl")
GOOD = '{"id": "a", "question": "When?", "expect": {}}'


def test_every_key_of_a_case_is_read():
    line = (
        '{"id": "gate", "question": "When?", "tags": ["x"], "expect": {"file": "gate.txt", "page": 1,'
        ' "contains": ["3.2"], "matches": "3", "refuses": false, "tool": {"name": "add", "arguments": {"a": 1}}}}'
    )

    assert read_cases(f"\n{line}\n\n".encode(), PATH) == (
        Case(
            "gate",
            "When?",
            Expectation("gate.txt", 1, ["3.2"], "3", refuses=False, tool=ExpectedTool("add", {"a": 1})),
            ["x"],
        ),
    )


def test_an_empty_file_has_no_cases():
    assert read_cases(b"\xef\xbb\xbf\n  \n", PATH) == ()


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ("{", "line 2, top level"),
        ('{"id": "b", "expect": {}}', "line 2, top level: the key `question` is missing"),
        ('{"id": "", "question": "q", "expect": {}}', "line 2, id"),
        ('{"id": "b", "question": "q", "expect": {"fil": "x"}}', "line 2, expect: there is no key `fil`"),
        ('{"id": "b", "question": "q", "expect": {"page": "1"}}', "line 2, expect.page"),
        (GOOD, 'line 2, id: "a" is there twice'),
        ('{"id": "b", "question": "q", "expect": {"matches": "("}}', "line 2, expect.matches"),
    ],
)
def test_a_wrong_line_is_named_with_its_key(line, where):
    with pytest.raises(ProjectFormatError) as raised:
        read_cases(f"{GOOD}\n{line}".encode(), PATH)

    assert where in raised.value.message
    assert str(PATH) in raised.value.message
    shown = raised.value.advice.removeprefix("Mend the line; a good one is ")
    assert read_cases(shown.encode(), PATH)[0].id == "gate"


def test_what_is_no_text_is_named_with_its_byte():
    with pytest.raises(ProjectFormatError, match=r"cases\.jsonl: byte 1: it is not UTF-8"):
        read_cases(b" \xff", PATH)


def test_the_cases_that_the_readme_shows_are_good_ones():
    readme = (Path(cases.__file__).parent / "README.md").read_text(encoding="utf-8")
    lines = readme.partition("```json\n")[2].partition("```")[0]

    assert [case.id for case in read_cases(lines.encode(), PATH)] == ["gate", "painter"]


def test_cases_are_written_as_they_are_read_and_say_no_more_than_they_expect():
    written = [
        Case("a", "When?", Expectation(file="tides.md", page=3, contains=["noon"])),
        Case("b", "Who?", Expectation(refuses=True), ["edge"]),
        Case("c", "How much?", Expectation(tool=ExpectedTool("calculator"))),
    ]
    content = cases.encode_cases(written)
    assert read_cases(content, Path("cases.jsonl")) == tuple(written)
    assert content.splitlines()[1] == b'{"id":"b","question":"Who?","expect":{"refuses":true},"tags":["edge"]}'
