"""Whether passages bear on a question at all."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.knowledge import gate
from satchel.runtime.knowledge.embedders.bundled import bundled_embedder
from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.knowledge.gate import Calibration, Gate, GateModel, load_gate
from satchel.runtime.knowledge.ranking import Ranking

EMBEDDER = EmbedderFingerprint("e", "a" * 64, 4, "mean", 64)
OTHER = EmbedderFingerprint("other", "b" * 64, 4, "mean", 64)


def calibration(weights: str = "", languages=("en",), **model: float) -> Calibration:
    numbers = {
        "intercept": -4.0,
        "vector": 0.0,
        "keyword": 8.0,
        "pairs": 0.0,
        "threshold": 0.6,
        "passage_threshold": 0.2,
    }
    return Calibration(
        embedder="e" if weights else "",
        weights_sha256=weights,
        languages=list(languages),
        model=GateModel(**(numbers | model)),
        date="2026-01-01",
        fitted_on="these tests",
        measured={},
    )


BY_WORDS = calibration()
BY_VECTORS = calibration(EMBEDDER.weights_sha256, vector=8.0, keyword=0.0)


def ranking(*keyword: float, vector=None, score=None) -> Ranking:
    count = len(keyword)
    return Ranking(
        rows=np.arange(count),
        score=np.asarray(score if score is not None else np.zeros(count), np.float32),
        vector=None if vector is None else np.asarray(vector, np.float32),
        bm25=np.zeros(count, np.float32),
        keyword=np.zeros(count, np.float32),
        pairs=np.zeros(count, np.float32),
        judged_keyword=np.asarray(keyword, np.float32),
        judged_pairs=np.zeros(count, np.float32),
    )


def passes(judging: Gate, found: Ranking, languages=None) -> list[bool]:
    return judging.judge(found, languages or ["en"] * len(found.rows)).passes.tolist()


def test_relevance_is_a_logistic_function_of_the_raw_scores():
    model = calibration(EMBEDDER.weights_sha256, intercept=-1.0, vector=2.0, keyword=3.0)

    judged = Gate([model], "auto", EMBEDDER).judge(ranking(0.5, 0.0, vector=[0.25, -1.0]), ["en", "en"])

    assert judged.relevance == pytest.approx([1 / (1 + math.exp(-1.0)), 1 / (1 + math.exp(3.0))], rel=1e-5)


def test_the_fused_score_plays_no_part():
    low, high = (Gate([BY_WORDS], "auto", None).judge(ranking(0.5, score=[s]), ["en"]) for s in (0.0, 1.0))

    assert low.relevance.tolist() == high.relevance.tolist()


def test_the_best_passage_has_to_reach_one_threshold_and_the_others_a_lower_one():
    judging = Gate([BY_WORDS], "auto", None)

    # Relevance: 0.5 at keyword 0.5, 0.73 at 0.625, 0.27 at 0.375, 0.12 at 0.25.
    assert passes(judging, ranking(0.5, 0.375)) == [False, False]
    assert passes(judging, ranking(0.375, 0.625, 0.25)) == [True, True, False]


def test_of_few_passages_in_all_the_best_one_too_has_to_reach_the_lower_threshold_only():
    judging = Gate([BY_VECTORS], "auto", EMBEDDER)
    few = [0.375, *[0.0] * 19]

    assert passes(judging, ranking(*few, vector=few))[:2] == [True, False]
    assert passes(judging, ranking(*few, 0.0, vector=[*few, 0.0]))[:2] == [False, False]
    assert passes(Gate([BY_WORDS], "auto", None), ranking(0.375)) == [False]


def test_a_threshold_of_ones_own_holds_for_all():
    assert passes(Gate([BY_WORDS], 0.4, None), ranking(0.5, 0.375, 0.625)) == [True, False, True]
    assert passes(Gate([BY_WORDS], 0, None), ranking(0.0)) == [True]


def test_switched_off_everything_passes_without_a_verdict():
    judging = Gate([BY_WORDS], "off", None)

    judged = judging.judge(ranking(0.0, 0.9), ["en", "en"])

    assert not judging.is_on
    assert judged.passes.all()
    assert np.isnan(judged.relevance).all()


def test_a_language_that_it_was_not_measured_in_gets_no_verdict_and_passes():
    judged = Gate([BY_WORDS], "auto", None).judge(ranking(0.0, 0.0, 0.9), ["de", "en", "en"])

    assert np.isnan(judged.relevance).tolist() == [True, False, False]
    assert judged.passes.tolist() == [True, False, True]


def test_an_embedder_that_it_was_not_measured_with_gets_no_verdict():
    judged = Gate([BY_WORDS, BY_VECTORS], "auto", OTHER).judge(ranking(0.9, vector=[0.9]), ["en"])

    assert np.isnan(judged.relevance).all()
    assert judged.passes.all()


def test_without_a_query_vector_the_model_of_keywords_judges():
    judging = Gate([BY_WORDS, BY_VECTORS], "auto", EMBEDDER)

    assert passes(judging, ranking(0.9, vector=[0.0])) == [False]
    assert passes(judging, ranking(0.9)) == [True]


def test_nothing_found_is_nothing_judged():
    judged = Gate([BY_WORDS], "auto", None).judge(ranking(), [])

    assert (judged.relevance.shape, judged.passes.shape) == ((0,), (0,))


@pytest.mark.parametrize("with_vectors", [True, False])
def test_the_calibration_that_comes_along_is_for_the_bundled_embedder_and_english(with_vectors):
    judging = load_gate("auto", bundled_embedder().fingerprint)
    found = ranking(1.0, 0.0, vector=[0.9, 0.0] if with_vectors else None)

    judged = judging.judge(found, ["en", "en"])

    assert judged.relevance[0] > 0.9
    assert judged.relevance[1] < 0.1
    assert judged.passes.tolist() == [True, False]
    assert judging.judge(found, ["de", "fr"]).passes.all()


def test_the_calibration_says_how_it_does_on_articles_that_it_was_not_fitted_on():
    known = msgspec.json.decode(gate._FILE.read_bytes(), type=list[Calibration])

    assert [one.embedder for one in known] == ["all-MiniLM-L6-v2", ""]
    for one in known:
        assert one.measured["squad dev"]["false_reject"] < 0.04
        assert one.model.passage_threshold < one.model.threshold


def test_an_unknown_key_of_the_calibration_is_refused():
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.json.decode(b'{"intercept": 1, "bias": 2}', type=GateModel)


@given(st.lists(st.floats(0, 1), max_size=8), st.one_of(st.just("auto"), st.floats(0, 1)))
def test_what_is_more_relevant_than_what_passes_passes_too(keyword, setting):
    judged = Gate([BY_WORDS], setting, None).judge(ranking(*keyword), ["en"] * len(keyword))

    kept = judged.relevance[judged.passes]
    assert not len(kept) or not (judged.relevance[~judged.passes] > kept.min()).any()
