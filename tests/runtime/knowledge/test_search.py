"""A search from the question to the passages that bear on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers.bodies import MADE_BY, body, document, of_texts, unit

from satchel.runtime.knowledge.answers import PageStart
from satchel.runtime.knowledge.gate import Calibration, Gate, GateModel
from satchel.runtime.knowledge.index import KnowledgeArrays
from satchel.runtime.knowledge.search import Searcher
from satchel.runtime.packfile.schema_v1 import AnalyserFingerprint

EAST, NORTH, UP, _ = np.eye(4).tolist()
TEXT = "The flood gate closes at noon.\n\nThe gate keeper saw a flood.\n\nBoats wait outside.\n\nFees are due."
# Whoever holds all of a question's words passes, whoever holds none does not.
STRICT = Calibration(
    embedder="",
    weights_sha256="",
    languages=["en"],
    model=GateModel(intercept=-5, vector=0, keyword=20, pairs=0, threshold=0.5, passage_threshold=0.4),
    date="",
    fitted_on="",
    measured={},
)
OFF = Gate([], "off", None)


def searcher(arrays: KnowledgeArrays, *, gate: Gate = OFF, direction=None) -> Searcher:
    """Return a searcher; every question points in one direction."""
    return Searcher(arrays, None if direction is None else lambda _: unit([direction])[0], gate=gate)


def texts(result) -> list[str]:
    return [hit.passage.text for hit in result.hits]


def test_a_passage_comes_with_its_file_page_range_and_raw_scores():
    text = "Größe der Flut.\n\nThe gate closes."
    arrays = body(document("a.pdf", text, page_starts=(0, 17), page_labels=("i", "ii")), vectors=[NORTH, EAST])

    (first, *_) = searcher(arrays, direction=EAST).search("When does the gate close?", 1).hits

    passage = first.passage
    assert (passage.file, passage.page, passage.page_label) == ("a.pdf", 2, "ii")
    assert text[passage.start : passage.end] == passage.text == "The gate closes."
    assert passage.vector == pytest.approx(1.0, abs=1e-4)
    assert passage.bm25 > 0
    assert 0 < passage.score <= 1
    assert (first.row, first.file_number, first.relevance) == (1, 0, None)


def test_a_passage_names_the_pages_that_begin_inside_it():
    arrays = body(document("a.pdf", "The gate\ncloses.", page_starts=(0, 9), page_labels=("i", "ii")))

    (hit,) = searcher(arrays).search("gate", 1).hits

    assert hit.passage.further_pages == (PageStart(9, 2, "ii"),)
    assert (hit.passage.page_at(0), hit.passage.page_at(8), hit.passage.page_at(9)) == ((1, "i"), (1, "i"), (2, "ii"))


def test_vectors_find_what_shares_no_word_with_the_question():
    found = searcher(of_texts({"a.md": TEXT}, [EAST, EAST, NORTH, UP]), direction=NORTH).search("Where are ships?", 1)

    assert texts(found) == ["Boats wait outside."]


def test_without_an_embedder_keywords_alone_are_searched():
    arrays = of_texts({"a.md": TEXT}, [EAST, EAST, NORTH, UP])

    found = Searcher(arrays, None, gate=OFF).search("boats", 3)

    assert texts(found) == ["Boats wait outside."]
    assert found.hits[0].passage.vector is None


def test_a_pack_without_vectors_asks_no_embedder():
    def refuse(_: str):
        raise AssertionError

    assert texts(Searcher(of_texts({"a.md": TEXT}), refuse, gate=OFF).search("boats", 3)) == ["Boats wait outside."]


def test_only_the_files_asked_for_are_searched():
    searching = searcher(of_texts({"a.md": "flood gate", "b.md": "flood", "c.md": ""}))

    found = searching.search("flood gate", 5, allowed_files=[1, 2])

    assert (texts(found), found.searched) == (["flood"], frozenset({1, 2}))
    assert texts(searching.search("flood", 5, allowed_files=[2])) == []
    assert texts(searching.search("flood", 5, allowed_files=[])) == []


@pytest.mark.parametrize("k", [0, 1, 3, 100])
def test_no_more_than_k_passages_come(k):
    found = searcher(of_texts({"a.md": TEXT}, [EAST] * 4), direction=EAST).search("gate", k)

    assert len(found.hits) == min(k, 4)
    assert found.below_gate == 0


@pytest.mark.parametrize("direction", [None, EAST])
def test_a_body_without_passages_answers_with_none(direction):
    found = searcher(of_texts({"a.md": ""}, []), direction=direction).search("gate", 5)

    assert (found.hits, found.below_gate, found.searched) == ((), 0, frozenset({0}))


def test_the_same_passage_in_two_files_comes_from_the_first_one_first():
    found = searcher(of_texts({"b.md": "flood gate", "a.md": "flood gate"})).search("flood gate", 2)

    assert [hit.passage.file for hit in found.hits] == ["b.md", "a.md"]


def test_what_the_gate_keeps_back_is_counted():
    found = searcher(of_texts({"a.md": TEXT}, [EAST, EAST, NORTH, UP]), gate=Gate([STRICT], "auto", None)).search(
        "flood gate", 4
    )

    assert texts(found) == ["The flood gate closes at noon.", "The gate keeper saw a flood."]
    assert all(hit.relevance is not None and hit.relevance > 0.5 for hit in found.hits)
    with_vectors = searcher(
        of_texts({"a.md": TEXT}, [EAST, EAST, NORTH, UP]),
        gate=Gate([replace_weights(STRICT)], "auto", MADE_BY),
        direction=EAST,
    )
    assert with_vectors.search("flood gate", 4).below_gate == 2
    assert with_vectors.search("zebra", 4).hits == ()


def replace_weights(calibration: Calibration) -> Calibration:
    return Calibration(
        embedder=MADE_BY.name,
        weights_sha256=MADE_BY.weights_sha256,
        languages=calibration.languages,
        model=calibration.model,
        date="",
        fitted_on="",
        measured={},
    )


def test_what_the_gate_cannot_judge_passes_and_a_person_is_told():
    arrays = body(document("tor.md", "Das Tor.", "de"), document("gate.md", "Ein Tor.", "en"))

    found = searcher(arrays, gate=Gate([STRICT], "auto", None)).search("Tor", 5)

    assert {hit.passage.file: hit.relevance is None for hit in found.hits} == {"tor.md": True, "gate.md": False}
    (warning,) = found.warnings
    assert (warning.kind, warning.text) == (
        "not-checked",
        "Whether these files bear on the question was not checked: tor.md (German).",
    )


def test_with_the_gate_off_nothing_is_said_about_it():
    arrays = body(document("tor.md", "Das Tor.", "de"))

    assert searcher(arrays).search("Tor", 5).warnings == ()


def test_a_file_of_no_recognised_language_counts_as_most_others():
    arrays = body(
        document("a.csv", "x", ""),
        document("b.md", "x", "de"),
        document("c.md", "x", "en"),
        document("d.md", "x", "en"),
    )

    assert [searcher(arrays).language(number) for number in range(4)] == ["en", "de", "en", "en"]
    assert searcher(body(document("a.csv", "x", ""))).language(0) == ""


def test_an_index_of_another_analyser_is_searched_with_a_warning():
    arrays = of_texts({"a.md": "gate"})
    other = replace(arrays, analyser=AnalyserFingerprint(name="other-words", version="9", languages=("en",)))

    found = searcher(other).search("gate", 1)

    assert texts(found) == ["gate"]
    assert [(warning.kind, warning.text) for warning in found.warnings] == [
        ("other-analyser", "Some words may not be found: their index was made by other-words 9.")
    ]
