from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.knowledge.reader.bundled import load_reader
from satchel.runtime.knowledge.reader.reader import Reader, window_starts
from satchel.runtime.paths import Home

LIGHTHOUSE = (
    "The lighthouse at Marrow Point was built in 1871 by the engineer Thomas Halloran. It stands 42 metres above the "
    "sea and was painted red and white in 1923."
)
HARBOUR = (
    "The harbour floods when a spring tide meets a westerly gale. Ferries to the island leave at nine in the morning, "
    "and a crossing takes forty minutes."
)
BREAD = "Rye bread is baked from a sourdough that is fed twice a day. A loaf keeps for a week in a linen cloth."


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("home")
    made = load_reader(Home(folder / "data", folder / "cache", folder / "settings"), threads=2)
    yield made
    made.close()


def answer(reader: Reader, question: str, passages: list[str]) -> tuple[str, int | None]:
    result = reader.read(question, passages)
    assert result.best is not None
    span = result.spans[result.best]
    return passages[result.best][span.start : span.end], result.best


@pytest.mark.parametrize(
    ("question", "expected", "passage"),
    [
        ("When was the lighthouse built?", "1871", 1),
        ("Who built the lighthouse at Marrow Point?", "Thomas Halloran", 1),
        ("How long does a crossing take?", "forty minutes", 2),
    ],
)
def test_the_exact_words_of_the_right_passage_answer(reader, question, expected, passage):
    text, best = answer(reader, question, [BREAD, LIGHTHOUSE, HARBOUR])
    assert expected in text
    assert len(text) < len(expected) + 20
    assert best == passage


def test_a_question_that_nothing_answers_has_one_high_no_answer_probability(reader):
    asked = "When was the lighthouse built?"
    with_answer = reader.read(asked, [BREAD, LIGHTHOUSE, HARBOUR]).no_answer_probability
    without = reader.read(asked, [BREAD, HARBOUR]).no_answer_probability
    assert with_answer < 0.5 < without


def test_an_answer_far_into_a_long_passage_is_found(reader):
    long = f"{BREAD} {HARBOUR} " * 8 + LIGHTHOUSE
    text, _ = answer(reader, "Who built the lighthouse at Marrow Point?", [long])
    assert "Thomas Halloran" in text


def test_every_passage_has_its_own_best_span(reader):
    result = reader.read("When was the lighthouse built?", [BREAD, LIGHTHOUSE, HARBOUR])
    assert len(result.spans) == 3
    for passage, span in zip([BREAD, LIGHTHOUSE, HARBOUR], result.spans, strict=True):
        assert 0 <= span.start < span.end <= len(passage)
        assert 0 <= span.score <= 1


def test_of_two_equal_passages_the_more_relevant_wins(reader):
    asked = "When was the lighthouse built?"
    assert reader.read(asked, [LIGHTHOUSE, LIGHTHOUSE], [0.2, 1.0]).best == 1
    assert reader.read(asked, [LIGHTHOUSE, LIGHTHOUSE], [1.0, 0.2]).best == 0


def test_without_passages_there_is_no_answer(reader):
    result = reader.read("When was the lighthouse built?", [])
    assert (result.best, result.no_answer_probability) == (None, 1.0)


@pytest.mark.parametrize("passage", ["", " ", "\x00", "?", "中文", "x" * 5000])
def test_an_odd_passage_or_question_breaks_nothing(reader, passage):
    for question in ("When was it built?", "", passage):
        result = reader.read(question, [passage, LIGHTHOUSE])
        assert len(result.spans) == 2
        assert 0 <= result.no_answer_probability <= 1


@given(st.integers(0, 3000), st.integers(49, 300))
def test_windows_cover_a_passage_without_gaps(tokens, room):
    starts = window_starts(tokens, room)
    covered = {token for start in starts for token in range(start, min(start + room, tokens))}
    assert covered == set(range(tokens))
    assert all(start + room <= max(tokens, room) for start in starts)
