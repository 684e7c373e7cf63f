"""BM25: worked by hand, equal to the reference to the bit, pruned or not, and safe on broken postings."""

from __future__ import annotations

import math

import numpy as np
import pytest
from helpers.kernel_inputs import available_backends, make_postings, native_backends
from hypothesis import given, settings
from hypothesis import strategies as st

from satchel.kernels import ops


@pytest.mark.parametrize("backend", available_backends())
def test_a_hand_worked_example(backend: str) -> None:
    # Three passages of 2, 4 and 6 terms; "comet" once in the first and twice in the last, "tail" in the second.
    postings = ops.Postings(
        offsets=np.array([0, 2, 3], np.uint64),
        passages=np.array([0, 2, 1], np.uint32),
        counts=np.array([1, 2, 1], np.uint16),
        lengths=np.array([2, 4, 6], np.uint32),
    )
    scores, passages = ops.bm25_topk(postings, [0], 3, k1=1.2, b=0.75, backend=backend)
    idf = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    first = idf * 1 / (1 + 1.2 * (1 - 0.75 + 0.75 * 2 / 4))
    last = idf * 2 / (2 + 1.2 * (1 - 0.75 + 0.75 * 6 / 4))
    assert passages.tolist() == [0, 2, -1]
    assert scores[:2].tolist() == pytest.approx([first, last], rel=1e-6)
    assert scores[2] == -np.inf


@pytest.mark.parametrize("passages", [1, 15, 16, 17, 1000, 8191, 8192, 8193, 30011])
def test_every_backend_ranks_as_the_full_evaluation(passages: int) -> None:
    postings = make_postings(passages, 60)
    random = np.random.default_rng(passages)
    for query in ([0], [0, 1, 2], [0, 1, 30, 59], [59], [3, 3, 40], list(range(60)), random.integers(0, 60, 7)):
        for k in (1, 10, 100):
            expected = ops.bm25_topk(postings, query, k, backend="numpy")
            for backend in native_backends():
                scores, numbers = ops.bm25_topk(postings, query, k, backend=backend)
                np.testing.assert_array_equal(numbers, expected[1])
                np.testing.assert_array_equal(scores, expected[0])


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 20000), st.lists(st.integers(0, 39), min_size=1, max_size=9), st.integers(1, 50), st.booleans())
def test_any_query_ranks_the_same_everywhere(passages: int, query: list[int], k: int, filtered: bool) -> None:
    postings = make_postings(passages, 40)
    allowed = np.random.default_rng(passages).random(passages) < 0.3 if filtered else None
    expected = ops.bm25_topk(postings, query, k, allowed=allowed, backend="numpy")
    if allowed is not None:
        assert allowed[expected[1][expected[1] >= 0]].all()
    for backend in native_backends():
        scores, numbers = ops.bm25_topk(postings, query, k, allowed=allowed, backend=backend)
        np.testing.assert_array_equal(numbers, expected[1])
        np.testing.assert_array_equal(scores, expected[0])


@pytest.mark.parametrize("backend", native_backends())
def test_equal_scores_come_by_rising_passage_across_blocks(backend: str) -> None:
    passages = 40_000
    everyone = np.arange(passages, dtype=np.uint32)
    postings = ops.Postings(
        offsets=np.array([0, passages, 2 * passages], np.uint64),
        passages=np.concatenate([everyone, everyone]),
        counts=np.ones(2 * passages, np.uint16),
        lengths=np.full(passages, 7, np.uint32),
    )
    _, numbers = ops.bm25_topk(postings, [0, 1], 25, backend=backend)
    assert numbers.tolist() == list(range(25))


@pytest.mark.parametrize("backend", available_backends())
def test_nothing_is_found_without_terms_passages_or_permission(backend: str) -> None:
    postings = make_postings(50, 5)
    assert ops.bm25_topk(postings, [], 3, backend=backend)[1].tolist() == [-1, -1, -1]
    denied = np.zeros(50, bool)
    assert ops.bm25_topk(postings, [0], 3, allowed=denied, backend=backend)[1].tolist() == [-1, -1, -1]
    empty = make_postings(0, 3)
    assert ops.bm25_topk(empty, [0, 1], 2, backend=backend)[1].tolist() == [-1, -1]


@pytest.mark.parametrize("backend", native_backends())
def test_broken_postings_are_survived(backend: str) -> None:
    sound = make_postings(9000, 4)
    random = np.random.default_rng(0)
    wild = ops.Postings(
        offsets=sound.offsets,
        passages=random.integers(0, 2**32, len(sound.passages), dtype=np.uint32),
        counts=np.zeros_like(sound.counts),
        lengths=random.integers(0, 2**32, 9000, dtype=np.uint32),
    )
    _, numbers = ops.bm25_topk(wild, [0, 1, 2, 3], 10, backend=backend)
    assert ((numbers >= -1) & (numbers < 9000)).all()


def test_offsets_that_lie_are_refused() -> None:
    arrays = {
        "passages": np.zeros(4, np.uint32),
        "counts": np.zeros(4, np.uint16),
        "lengths": np.ones(9, np.uint32),
    }
    for offsets in ([0, 5], [3, 2], [2**63, 2**63 + 1]):
        postings = ops.Postings(offsets=np.array(offsets, np.uint64), **arrays)
        with pytest.raises(ValueError, match="offsets: term 0 claims"):
            ops.bm25_topk(postings, [0], 3)
    sound = ops.Postings(offsets=np.array([0, 4], np.uint64), **arrays)
    for term in (-1, 1):
        with pytest.raises(ValueError, match="no term number"):
            ops.bm25_topk(sound, [term], 3)
    with pytest.raises(ValueError, match="expected k1 >= 0"):
        ops.bm25_topk(sound, [0], 3, b=1.5)
