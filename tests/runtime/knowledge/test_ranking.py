"""Which passages a question finds, and in which order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers.bodies import body, document, of_texts, unit
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.knowledge.index import KnowledgeArrays
from satchel.runtime.knowledge.question import QuestionAnalyser
from satchel.runtime.knowledge.ranking import Ranking, RankingSettings, rank

TEXT = "The flood gate closes at noon.\n\nThe gate keeper saw a flood.\n\nBoats wait outside.\n\nFees are due."
EAST, NORTH, UP, _ = np.eye(4).tolist()


def ranked(arrays: KnowledgeArrays, question: str, vector=None, **options) -> Ranking:
    analyser = QuestionAnalyser(arrays.keywords, (file.language for file in arrays.files))
    query = None if vector is None else unit([vector])[0]
    return rank(arrays, analyser, analyser.analyse(question), query, **options)


def test_keywords_and_vectors_each_bring_their_own():
    arrays = of_texts({"a.md": TEXT}, [EAST, EAST, NORTH, UP])

    found = ranked(arrays, "flood", NORTH, settings=RankingSettings(candidates=2))

    assert {0, 1, 2} <= set(found.rows.tolist())
    assert found.vector is not None
    assert found.vector[found.rows.tolist().index(2)] == pytest.approx(1.0, abs=1e-4)
    assert found.bm25[found.rows.tolist().index(2)] == 0


def test_words_that_stand_together_as_in_the_question_come_first():
    found = ranked(of_texts({"a.md": TEXT}), "flood gate")

    assert found.rows.tolist() == [0, 1]
    assert found.pairs.tolist() == [pytest.approx(0.5), 0.0]


def test_the_fused_score_is_the_weighed_sum_of_its_parts():
    settings = RankingSettings()
    found = ranked(of_texts({"a.md": TEXT}, [EAST, EAST, NORTH, UP]), "flood gate", [1, 1, 0, 0], settings=settings)

    assert found.vector is not None
    expected = (
        settings.vector_weight * np.maximum(found.vector, 0)
        + settings.keyword_weight * found.keyword
        + settings.pair_weight * found.pairs
    )
    assert found.score == pytest.approx(expected, rel=1e-5)
    assert settings.vector_weight + settings.keyword_weight + settings.pair_weight == pytest.approx(1)


def test_without_a_vector_keywords_and_pairs_share_the_whole_scale():
    settings = RankingSettings()
    found = ranked(of_texts({"a.md": TEXT}), "flood gate", settings=settings)

    whole = settings.keyword_weight + settings.pair_weight
    expected = (settings.keyword_weight * found.keyword + settings.pair_weight * found.pairs) / whole
    assert found.vector is None
    assert found.score == pytest.approx(expected, rel=1e-5)


def test_equal_passages_come_in_the_order_of_their_rows():
    arrays = of_texts({f"{number}.md": "The flood gate closes." for number in range(7)}, [EAST] * 7)

    found = ranked(arrays, "When does the flood gate close?", [1, 2, 0, 0])

    assert found.rows.tolist() == list(range(7))
    assert len(set(found.score.tolist())) == 1


def test_a_term_that_the_question_says_twice_weighs_twice():
    arrays = of_texts({"a.md": "gate\n\nflood\n\nboat"})

    assert ranked(arrays, "gate flood flood").rows.tolist()[:2] == [1, 0]


def test_only_allowed_passages_are_found():
    arrays = of_texts({"a.md": TEXT}, [EAST, EAST, NORTH, UP])

    found = ranked(arrays, "flood gate", EAST, allowed=np.array([False, True, True, False]))

    assert set(found.rows.tolist()) == {1, 2}


def test_each_language_is_searched_with_its_own_stems():
    arrays = body(document("de.md", "Das Tor schließt bei Fluten.", "de"), document("en.md", "The tide floods.", "en"))

    # In German "floods" has no stem of the index's; in English it is "flood".
    assert ranked(arrays, "floods").rows.tolist() == [1]
    assert ranked(arrays, "Fluten").rows.tolist() == [0]


@pytest.mark.parametrize("vector", [None, EAST])
@pytest.mark.parametrize("texts", [{}, {"a.md": ""}])
def test_an_empty_body_finds_nothing(texts, vector):
    assert len(ranked(of_texts(texts, []), "flood", vector).rows) == 0


def test_files_without_passages_find_nothing():
    arrays = body(document("a.pdf", ""), document("b.md", TEXT), vectors=[EAST, EAST, NORTH, UP])

    assert len(ranked(arrays, "flood", EAST, allowed=np.zeros(4, np.bool_)).rows) == 0


@pytest.mark.parametrize("question", ["", "?", "zebra"])
def test_a_question_without_a_known_term_finds_by_vector_alone(question):
    arrays = of_texts({"a.md": TEXT}, [EAST, EAST, NORTH, UP])

    assert len(ranked(arrays, question).rows) == 0
    assert ranked(arrays, question, UP).rows.tolist()[0] == 3


def test_one_passage_is_found_by_either():
    arrays = of_texts({"a.md": "gate"}, [EAST])

    assert ranked(arrays, "gate").rows.tolist() == ranked(arrays, "zebra", EAST).rows.tolist() == [0]


words = st.lists(st.sampled_from(["gate", "flood", "boat", "the"]), min_size=1, max_size=5).map(" ".join)


vectors = st.lists(st.integers(-3, 3), min_size=4, max_size=4).filter(any)


@given(st.lists(st.tuples(words, vectors), min_size=1, max_size=6), words, vectors)
def test_scores_fall_ties_rise_by_row_and_all_lie_between_0_and_1(passages, question, vector):
    arrays = of_texts({f"{n}.md": text for n, (text, _) in enumerate(passages)}, [row for _, row in passages])

    found = ranked(arrays, question, vector, settings=replace(RankingSettings(), paired=2))

    keys = list(zip((-found.score).tolist(), found.rows.tolist(), strict=True))
    assert keys == sorted(keys)
    assert len(set(found.rows.tolist())) == len(found.rows)
    for shares in (found.score, found.keyword, found.pairs):
        assert ((shares >= 0) & (shares <= 1 + 1e-5)).all()
