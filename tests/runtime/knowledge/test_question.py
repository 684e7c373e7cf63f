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
