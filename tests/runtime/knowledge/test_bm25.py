"""The keyword index and its scores: by hand, and beside bm25s."""

from __future__ import annotations

import math
import subprocess
import sys
from collections import Counter
from pathlib import Path

import bm25s
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.kernels import ops
from satchel.runtime.knowledge.analyser import Analyser
from satchel.runtime.knowledge.bm25 import (
    MAX_COUNT,
    Bm25Settings,
    KeywordIndex,
    build_keyword_index,
    score_rows,
    weigh_terms,
)

CHAPTER = Path(__file__).parents[3] / "packs/astronomy-tutor/knowledge/05-radiation-and-spectra.md"
# Worked by hand below: three passages of 3, 2 and 4 terms, 3 on average.
SMALL = (("tide", "gate", "tide"), ("gate", "lock"), ("boat", "boat", "boat", "fee"))


def scores(index: KeywordIndex, question: list[str], settings: Bm25Settings) -> np.ndarray:
    rows = np.arange(len(index.postings.lengths))
    return score_rows(index, weigh_terms(index, Counter(question)), rows, settings)


def test_a_small_example_scores_as_worked_out_by_hand():
    found = scores(build_keyword_index(SMALL), ["tide", "gate"], Bm25Settings(k1=1.0, b=0.5))

    # tide: 1 passage of 3, idf = ln(1 + 2.5 / 1.5); gate: 2 of 3, idf = ln(1 + 1.5 / 2.5).
    tide, gate = math.log(1 + 2.5 / 1.5), math.log(1 + 1.5 / 2.5)
    # Passage 0 is of mean length: penalty 1. Passage 1: 0.5 + 0.5 * 2 / 3 = 5 / 6.
    assert found == pytest.approx([tide * 2 / (2 + 1) + gate * 1 / (1 + 1), gate * 1 / (1 + 5 / 6), 0.0], rel=1e-6)


def test_a_term_that_the_question_repeats_counts_as_often():
    index = build_keyword_index(SMALL)

    once, twice = (scores(index, ["tide"] * times, Bm25Settings()) for times in (1, 2))

    assert twice == pytest.approx(2 * once)


def test_terms_are_weighed_by_how_rare_they_are_heaviest_first():
    weighed = weigh_terms(build_keyword_index(SMALL), {"gate": 1, "tide": 1, "harbour": 1})

    assert [term.text for term in weighed] == ["harbour", "tide", "gate"]
    assert [(term.number is None, term.passages) for term in weighed] == [(True, 0), (False, 1), (False, 2)]


def test_no_passage_scores_more_than_the_questions_weight():
    index = build_keyword_index([["tide"] * 1000, ["gate"]])
    weighed = weigh_terms(index, {"tide": 1})

    assert 0.99 * weighed[0].weight < scores(index, ["tide"], Bm25Settings())[0] < weighed[0].weight


def test_the_arrays_are_those_of_the_pack_format():
    index = build_keyword_index(SMALL)

    assert index.terms.tobytes() == b"boatfeegatelocktide"
    assert index.term_starts.tolist() == [0, 4, 7, 11, 15, 19]
    postings = index.postings
    assert postings.offsets.tolist() == [0, 1, 2, 4, 5, 6]
    assert postings.passages.tolist() == [2, 2, 0, 1, 1, 0]
    assert postings.counts.tolist() == [3, 1, 1, 1, 1, 2]
    assert postings.lengths.tolist() == [3, 2, 4]
    kinds = (index.term_starts, postings.offsets, postings.passages, postings.counts, postings.lengths)
    assert [array.dtype for array in kinds] == [np.uint32, np.uint64, np.uint32, np.uint16, np.uint32]


def test_terms_are_found_by_their_bytes():
    terms = ["ä", "z", "é", "潮", "a", "aa"]
    index = build_keyword_index([terms])

    assert sorted(index.find(term) for term in terms) == list(range(6))
    assert index.find("潮汐") is None
    assert index.find("") is None


def test_counts_are_saturated():
    index = build_keyword_index([["tide"] * (MAX_COUNT + 5)])

    assert index.postings.counts.tolist() == [MAX_COUNT]
    assert index.postings.lengths.tolist() == [MAX_COUNT + 5]


@pytest.mark.parametrize("passages", [[], [[]], [[], [], []]])
def test_an_index_without_terms_finds_nothing(passages):
    index = build_keyword_index(passages)

    assert index.find("tide") is None
    assert scores(index, ["tide"], Bm25Settings()).tolist() == [0.0] * len(passages)


def test_the_same_passages_give_the_same_bytes_whatever_the_hash_seed():
    code = (
        "import sys, zlib\n"
        "from satchel.runtime.knowledge.bm25 import build_keyword_index\n"
        "index = build_keyword_index([list('the quick brown fox'), list('jumps over'), list('潮汐')])\n"
        "p = index.postings\n"
        "print(zlib.crc32(b''.join(a.tobytes() for a in (index.terms, p.offsets, p.passages, p.counts, p.lengths))))"
    )
    said = {
        subprocess.check_output([sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}) for seed in ("1", "2", "3")
    }

    assert len(said) == 1


terms = st.lists(st.sampled_from(["tide", "gate", "é", "潮汐", "a"]), max_size=12)


@given(st.lists(terms, max_size=8), terms)
def test_every_count_can_be_read_back_and_the_kernel_ranks_as_score_rows_does(passages, question):
    index = build_keyword_index(passages)

    postings = index.postings
    for term in set(question):
        number = index.find(term)
        column = {} if number is None else dict(zip(*held(index, number), strict=True))
        assert column == {row: line.count(term) for row, line in enumerate(passages) if term in line}
    numbers = [number for term in question if (number := index.find(term)) is not None]
    if numbers:
        settings = Bm25Settings()
        best, rows = ops.bm25_topk(postings, numbers, len(passages), k1=settings.k1, b=settings.b)
        found = rows[rows >= 0]
        expected = scores(index, question, settings)
        assert set(found.tolist()) == set(np.flatnonzero(expected).tolist())
        assert best[: len(found)] == pytest.approx(expected[found], rel=1e-5)


def held(index: KeywordIndex, number: int) -> tuple[list[int], list[int]]:
    start, end = index.postings.offsets[number : number + 2].tolist()
    return index.postings.passages[start:end].tolist(), index.postings.counts[start:end].tolist()


def test_a_chapter_is_scored_and_ranked_as_bm25s_does():
    analyser = Analyser("en")
    lines = [analyser.terms(text) for text in CHAPTER.read_text().split("\n\n") if text.strip()]
    questions = [
        analyser.query_terms(line) for line in ("Who measured the speed of light?", "hydrogen absorption lines")
    ]
    settings = Bm25Settings(k1=1.2, b=0.75)
    reference = bm25s.BM25(method="lucene", k1=settings.k1, b=settings.b)
    reference.index(lines, show_progress=False)
    index = build_keyword_index(lines)

    for question in questions:
        ours, theirs = scores(index, question, settings), reference.get_scores(question)
        assert len(lines) > 100
        assert ours == pytest.approx(theirs, rel=1e-5, abs=1e-6)
        assert np.argsort(-ours, kind="stable")[:10].tolist() == np.argsort(-theirs, kind="stable")[:10].tolist()
