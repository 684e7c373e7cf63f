from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.knowledge.reader.spans import best_span, whole_words

PASSAGE = "It opened in 1887."
OFFSETS = [(0, 2), (3, 9), (10, 12), (13, 17), (17, 18)]


def scores(*rows: tuple[float, float]) -> np.ndarray:
    return np.array(rows, dtype=np.float32)


def test_the_span_with_the_highest_sum_wins():
    table = scores((0, 0), (0, 0), (-9, -9), (0, 1), (1, 0), (2, 0), (5, 4), (0, 3), (0, 0))
    span = best_span(table, 0.5, OFFSETS, PASSAGE, first=3)
    assert PASSAGE[span.start : span.end] == "1887"
    assert span.margin == pytest.approx(9.0)
    assert span.answerable == 0.5


def test_an_end_never_comes_before_its_start():
    table = scores((0, 0), (0, 9), (0, 0), (0, 0), (9, 0), (0, 1))
    span = best_span(table, 0.0, OFFSETS, PASSAGE, first=1)
    assert PASSAGE[span.start : span.end] == "1887."


def test_no_span_is_longer_than_the_limit():
    table = scores((0, 0), (9, 0), (0, 0), (0, 0), (0, 0), (0, 9))
    span = best_span(table, 0.0, OFFSETS, PASSAGE, first=1, max_tokens=2)
    assert PASSAGE[span.start : span.end] in {"It", "It opened", "1887.", "."}


def test_sharpness_is_the_log_of_the_spans_share():
    table = scores((0, 0), (0, 0), (0, 0))
    span = best_span(table, 0.0, [(0, 2), (3, 9)], PASSAGE, first=1)
    assert span.sharpness == pytest.approx(-np.log(3))


def test_a_passage_without_tokens_answers_nothing():
    assert best_span(scores((0, 0), (0, 0)), -2.0, [], "", first=1).margin < -1000


def test_a_cut_word_is_made_whole():
    assert whole_words("in Edinburgh now", 5, 8) == (3, 12)
    assert whole_words("(1887)", 1, 5) == (1, 5)


@given(st.integers(1, 12), st.integers(1, 12), st.randoms(use_true_random=False))
def test_the_search_over_all_spans_agrees_with_trying_each(count, limit, random):
    table = np.array([[random.uniform(-5, 5), random.uniform(-5, 5)] for _ in range(count + 1)], dtype=np.float32)
    offsets = [(2 * n, 2 * n + 1) for n in range(count)]
    span = best_span(table, 0.0, offsets, "a " * count, first=1, max_tokens=limit)
    sums = [
        float(table[1 + i, 0]) + float(table[1 + j, 1]) for i in range(count) for j in range(i, min(count, i + limit))
    ]
    assert span.margin == pytest.approx(max(sums) - float(table[0].sum()), abs=1e-5)
