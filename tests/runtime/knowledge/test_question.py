"""A question as the keyword index sees it."""

from __future__ import annotations

import pytest
from helpers.bodies import body, document, of_texts

from satchel.runtime.knowledge.question import QuestionAnalyser

ARRAYS = of_texts({"a.md": "The flood gate closes.\n\nA boat waits at the gate.\n\nThe keeper sleeps."})


def test_terms_are_weighed_and_neighbours_pair_up_over_function_words():
    question = QuestionAnalyser(ARRAYS.keywords, ["en"]).analyse("When does the flood gate of the harbour close?")["en"]

    assert {term.text for term in question.terms} == {"flood", "gate", "harbour", "close"}
    weights = {term.text: term.weight for term in question.terms}
    assert question.terms[0].text == "harbour"
    assert weights["gate"] < weights["flood"] == weights["close"] < weights["harbour"]
    assert set(question.pairs) == {("flood", "gate"), ("gate", "harbour"), ("harbour", "close")}
    assert question.pairs["flood", "gate"] == pytest.approx(weights["flood"] + weights["gate"])
    assert question.weight == pytest.approx(sum(weights.values()))


def test_for_the_gate_terms_weigh_as_in_a_body_of_a_thousand_passages():
    analyser = QuestionAnalyser(ARRAYS.keywords, ["en"])

    asked = analyser.analyse("gate of the harbour")["en"]

    assert asked.judged is not None
    plain, judged = ({term.text: term.weight for term in one.terms} for one in (asked, asked.judged))
    assert plain["gate"] / plain["harbour"] < 0.3
    assert judged["gate"] / judged["harbour"] > 0.7
    many = of_texts({"a.md": "gate\n\n" * 1000})
    assert QuestionAnalyser(many.keywords, ["en"]).analyse("gate")["en"].judged is None


def test_the_share_of_pairs_is_by_weight_and_at_most_the_whole():
    asked = QuestionAnalyser(ARRAYS.keywords, ["en"]).analyse("flood gate flood gate")["en"]

    assert asked.pair_share(set()) == 0
    assert 0 < asked.pair_share({("flood", "gate")}) < asked.pair_share({("flood", "gate"), ("gate", "flood")}) <= 1


def test_a_question_is_analysed_once_for_each_language():
    arrays = body(document("a.md", "Gates", "en"), document("b.md", "Tore", "de"), document("c.md", "Gates", "en"))

    asked = QuestionAnalyser(arrays.keywords, (file.language for file in arrays.files)).analyse("the gates")

    assert {language: [term.text for term in one.terms] for language, one in asked.items()} == {
        "de": ["gat", "the"],
        "en": ["gate"],
    }


def test_an_empty_question_weighs_nothing():
    question = QuestionAnalyser(ARRAYS.keywords, ["en"]).analyse(" ?! ")["en"]

    assert (question.terms, question.pairs, question.weight) == ((), {}, 0)
