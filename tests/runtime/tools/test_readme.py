"""The README's example is a whole tool: short, and it passes the suite."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from helpers.tool_conformance import ALLOWED, CHECKS, Specimen

from satchel.runtime.engine.base import ToolCall

README = Path(__file__).parents[3] / "runtime/tools/README.md"


@pytest.fixture(scope="module")
def example():
    return re.search(r"## Add a tool\n.*?```python\n(.*?)```", README.read_text(), re.DOTALL)[1]


@pytest.fixture
def specimen(example):
    names = {}
    exec(compile(example, str(README), "exec"), names)
    return Specimen(names["Anagram"](), {"anagram": [{"one": "Listen", "other": "silent"}]})


def test_the_example_has_at_most_forty_lines(example):
    assert len(example.splitlines()) <= 40


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("_"))
def test_the_example_passes_the_suite(specimen, check):
    check(specimen)


def test_the_example_does_what_it_says(specimen):
    def says(one, other):
        prepared = specimen.runner.prepare(ToolCall("anagram", {"one": one, "other": other}))
        return specimen.runner.run(prepared, ALLOWED).result.text

    assert says("Dormitory", "dirty room") == "yes"
    assert says("a", "b") == "no"
    assert says("1", "2") == "Error: There are no letters to compare."


def test_every_tool_that_the_readme_lists_is_there():
    table = README.read_text().split("## Add a tool")[0]
    for name in re.findall(r"`([a-z_]+)\.py`", table):
        assert (README.parent / f"{name}.py").is_file(), name
