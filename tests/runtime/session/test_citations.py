"""Which sentence each mark of an answer stands for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.session.citations import cited_in_order, find_citations
from satchel.runtime.session.events import Source

SOURCES = tuple(Source(n, f"{n}.md", None, 0, 4, "text", 0.5) for n in (1, 2, 3, 12))


def cited(answer: str) -> list[tuple[str, int]]:
    return [(answer[entry.start : entry.end], entry.source.n) for entry in find_citations(answer, SOURCES)]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("It floods at noon [1].", [("It floods at noon [1]", 1)]),
        ("It floods at noon. [1]", [("It floods at noon. [1]", 1)]),
        ("It floods at noon.[1]", [("It floods at noon.[1]", 1)]),
        ("One [1]. Two [2].", [("One [1]", 1), ("Two [2]", 2)]),
        ("One. [1] Two. [2]", [("One. [1]", 1), ("Two. [2]", 2)]),
        ("Not cited. Cited [3].", [("Cited [3]", 3)]),
        ("Both [1][2].", [("Both [1]", 1), ("Both [1][2]", 2)]),
        ("Both [1, 2].", [("Both [1, 2]", 1), ("Both [1, 2]", 2)]),
        ("Both [1; 12].", [("Both [1; 12]", 1), ("Both [1; 12]", 12)]),
        ("- a point [1]\n- another [2]", [("- a point [1]", 1), ("- another [2]", 2)]),
        ("Really? Yes! [1]", [("Yes! [1]", 1)]),
        ("It is 3.5 m high [1].", [("It is 3.5 m high [1]", 1)]),
        ("[1] opens the answer", [("[1]", 1)]),
        ("Ebbe … um sechs [2].", [("um sechs [2]", 2)]),
        ("潮は正午に満ちる [1]", [("潮は正午に満ちる [1]", 1)]),
    ],
)
def test_a_mark_stands_for_the_sentence_that_it_closes(answer, expected):
    assert cited(answer) == expected


@pytest.mark.parametrize(
    "answer", ["", "Nothing cited.", "Unknown [4].", "[0]", "[-1]", "[1.5]", "[a]", "x[1", "[1234]", "list[]", "[[]]"]
)
def test_what_names_no_source_is_no_citation(answer):
    assert cited(answer) == []


def test_unknown_numbers_beside_known_ones_are_left_out():
    assert cited("Both [1, 9].") == [("Both [1, 9]", 1)]


def test_the_most_cited_source_comes_first_and_the_first_cited_among_equals():
    answer = "One [3]. Two [1]. Three [1]. Four [2]."

    assert [source.n for source in cited_in_order(find_citations(answer, SOURCES))] == [1, 3, 2]


def test_without_citations_there_are_no_sources():
    assert cited_in_order([]) == []


@given(st.text(alphabet=st.sampled_from("ab .!?…\n[]123,;é🌊"), max_size=60))
def test_every_span_lies_in_the_answer_and_ends_with_its_mark(answer):
    for entry in find_citations(answer, SOURCES):
        assert 0 <= entry.start < entry.end <= len(answer)
        span = answer[entry.start : entry.end]
        assert span.endswith("]")
        assert str(entry.source.n) in span[span.rindex("[") :]
        assert not span[0].isspace()


def test_a_long_answer_with_many_marks_is_read():
    answer = "A sentence with a source [1]. " * 2000

    assert len(list(find_citations(answer, SOURCES))) == 2000
