"""Which sentence answers, without a trained reader."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import pytest
from helpers.bodies import body, document, of_texts

from satchel.runtime.knowledge.question import QuestionAnalyser
from satchel.runtime.knowledge.reader.reader import ReaderResult
from satchel.runtime.knowledge.sentence_scorer import WORD_FEATURES, ScorerModel, SentenceScorer

HARBOUR = (
    "The harbour floods when a spring tide meets a strong northerly wind. The flood gate closes at a water level of "
    "3.2 metres.\n\nThe lock keeper is Wilma Janssen. Boats wait outside. Is the gate closed?"
)
BREAD = "Rye bread is baked from a sourdough that is fed twice a day. A loaf keeps for a week."
ARRAYS = of_texts({"harbour.md": HARBOUR, "bread.md": BREAD})
SCORER = SentenceScorer(QuestionAnalyser(ARRAYS.keywords, ["en"]), None)


class Counting:
    """Counts letters: an embedder whose vectors anybody can work out."""

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        self.embedded += texts
        return np.stack([self.embed_query(text) for text in texts])

    def embed_query(self, text: str) -> np.ndarray:
        counts = np.array([text.lower().count(letter) for letter in "aeiou"], np.float32)
        return counts / max(np.linalg.norm(counts), 1e-6)


def best(result: ReaderResult, passages: Sequence[str]) -> str:
    assert result.best is not None
    span = result.spans[result.best]
    return passages[result.best][span.start : span.end]


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("At what water level does the flood gate close?", "The flood gate closes at a water level of 3.2 metres."),
        ("Who is the lock keeper?", "The lock keeper is Wilma Janssen."),
        ("Why does the harbour flood?", "The harbour floods when a spring tide meets a strong northerly wind."),
        ("What is rye bread baked from?", "Rye bread is baked from a sourdough that is fed twice a day."),
    ],
)
def test_the_sentence_that_answers_is_picked_whole(question, sentence):
    passages = [BREAD, HARBOUR]

    result = SCORER.read(question, passages, [0.5, 0.5])

    assert best(result, passages) == sentence
    assert len(result.spans) == 2
    assert result.no_answer_probability == 1 - max(span.score for span in result.spans)


def test_a_question_is_never_picked():
    assert best(SCORER.read("Is the gate closed?", [HARBOUR], [1.0]), [HARBOUR]) != "Is the gate closed?"


def test_a_passage_without_a_statement_has_an_empty_span():
    result = SCORER.read("Who is the keeper?", ["# Gate", HARBOUR, ""], [0.9, 0.5, 0.1])

    assert [(span.start, span.end, span.score) for span in result.spans[::2]] == [(0, 0, 0.0)] * 2
    assert result.best == 1


@pytest.mark.parametrize("passages", [[], [""], ["# Gate", "Why?"]])
def test_with_nothing_to_pick_nothing_answers(passages):
    result = SCORER.read("Who?", passages)

    assert (result.best, result.no_answer_probability, len(result.spans)) == (None, 1.0, len(passages))


def test_a_sentence_that_leads_clearly_is_surer_than_one_of_two_alike():
    alone = SCORER.read("Who is the lock keeper?", [HARBOUR], [0.9])
    twice = SCORER.read("Who is the lock keeper?", [HARBOUR, HARBOUR], [0.9, 0.9])

    assert twice.no_answer_probability > alone.no_answer_probability


def test_of_two_alike_the_first_is_picked():
    assert SCORER.read("Who is the lock keeper?", [HARBOUR, HARBOUR], [0.9, 0.9]).best == 0


def test_features_are_what_their_names_say():
    found = SCORER.candidates("Who is the lock keeper?", [HARBOUR, BREAD], [0.9, 0.4])

    keeper = next(one for one in found if HARBOUR[one.start : one.end].startswith("The lock"))
    features = dict(zip(WORD_FEATURES, keeper.features, strict=True))
    assert (features["passage"], features["first"]) == (0.9, 1.0)
    assert features["held"] == features["held_before"] == 1.0
    assert features["pairs"] == 0.5
    assert (features["cue"], features["defines"], features["pronoun"], features["opens"]) == (1.0, 0.0, 0.0, 0.0)
    assert [one.passage for one in found] == sorted(one.passage for one in found)


def test_only_the_most_promising_sentences_are_embedded():
    embedder = Counting()

    SentenceScorer(QuestionAnalyser(ARRAYS.keywords, ["en"]), embedder, embedded=2).read(
        "Who is the lock keeper?", [HARBOUR, BREAD], [0.9, 0.4]
    )

    assert len(embedder.embedded) == 2
    assert "The lock keeper is Wilma Janssen." in embedder.embedded


def test_the_cosine_counts_once_sentences_are_embedded():
    model = msgspec.structs.replace(SCORER._model, vectors=[0.0] * len(WORD_FEATURES) + [1.0])
    scorer = SentenceScorer(QuestionAnalyser(ARRAYS.keywords, ["en"]), Counting(), model=model)
    passages = ["The gate is ooo.", "The gate is aaa."]

    assert best(scorer.read("gate aaa aaa", passages, [0.5, 0.5]), passages) == "The gate is aaa."


def test_each_passage_is_read_in_the_language_that_holds_most_of_the_question():
    arrays = body(document("a.md", "Das Tor schließt mittags.", "de"), document("b.md", BREAD, "en"))
    scorer = SentenceScorer(QuestionAnalyser(arrays.keywords, ["de", "en"]), None)
    passages = ["Das Tor schließt mittags. Boote warten davor.", BREAD]

    assert best(scorer.read("Wann schließen die Tore?", passages, [0.5, 0.5]), passages) == "Das Tor schließt mittags."


def test_its_file_has_a_weight_for_each_feature_and_its_figures():
    model = SCORER._model

    assert (len(model.words), len(model.vectors)) == (len(WORD_FEATURES), len(WORD_FEATURES) + 1)
    assert model.measured["squad dev, vectors"]["answer_said"] > 0.75
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert(msgspec.to_builtins(model) | {"bias": 1}, ScorerModel)
