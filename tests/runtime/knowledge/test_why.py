"""Why a file was used for a question, or not."""

from __future__ import annotations

import numpy as np
from helpers.bodies import body, document, of_texts, unit

from satchel.runtime.knowledge.answers import FileExplanation
from satchel.runtime.knowledge.gate import Calibration, Gate, GateModel
from satchel.runtime.knowledge.search import Searcher
from satchel.runtime.knowledge.why import explain_files

EAST, NORTH, UP, _ = np.eye(4).tolist()
BY_WORDS = Calibration(
    embedder="",
    weights_sha256="",
    languages=["en"],
    model=GateModel(intercept=-4, vector=0, keyword=12, pairs=0, threshold=0.5, passage_threshold=0.4),
    date="",
    fitted_on="",
    measured={},
)
AUTO, OFF = Gate([BY_WORDS], "auto", None), Gate([], "off", None)


def explained(searcher: Searcher, question: str, k: int = 6, **options) -> dict[str, FileExplanation]:
    return {one.file: one for one in explain_files(searcher, searcher.search(question, k, **options))}


def test_a_used_file_tells_its_rank_its_scores_and_the_words_that_matched():
    arrays = body(document("gate.pdf", "Boats.\n\nThe flood gates closed.", page_starts=(0, 8)), vectors=[NORTH, EAST])
    searcher = Searcher(arrays, lambda _: unit([EAST])[0], gate=OFF)

    one = explained(searcher, "When does the flood gate close?")["gate.pdf"]

    assert (one.used, one.rank, one.page, one.language) == (True, 1, 2, "en")
    assert one.reason == "used: its best passage is number 1 of all, not checked"
    assert one.vector is not None
    assert one.vector > 0.99
    assert one.bm25 is not None
    assert one.bm25 > 0
    assert sorted(one.matched) == ["close", "flood", "gate"]


def test_every_file_is_explained_those_used_first_then_by_rank_then_by_name():
    arrays = of_texts({"z.md": "flood gate", "b.md": "fees", "a.md": "boats", "c.md": "gate"})
    searcher = Searcher(arrays, None, gate=OFF)

    assert list(explained(searcher, "flood gate", k=2)) == ["z.md", "c.md", "a.md", "b.md"]


def test_a_file_below_the_gate_is_told_so_with_its_estimate():
    arrays = of_texts({"gate.md": "flood gate tide", "boats.md": "flood of boats"})

    found = explained(Searcher(arrays, None, gate=AUTO), "flood gate tide")

    assert found["gate.md"].reason.startswith("used: its best passage is number 1 of all, judged 9")
    assert found["boats.md"].reason.startswith("its best passage (number 2) does not bear on the question (")
    assert found["boats.md"].relevance is not None
    assert found["boats.md"].relevance < 0.4


def test_a_file_beyond_the_best_k_is_told_how_many_are_used():
    arrays = of_texts({"a.md": "flood gate", "b.md": "flood"})

    assert explained(Searcher(arrays, None, gate=OFF), "flood gate", k=1)["b.md"].reason.startswith(
        "its best passage is number 2, and only 1 are used"
    )


def test_a_file_that_was_not_searched_or_has_no_passage_says_which():
    arrays = body(
        document("a.md", "flood"),
        document("empty.md", ""),
        document("locked.pdf", "", problem="it is encrypted"),
        document("far.md", "zebra"),
        document("left-out.md", "flood"),
    )

    found = explained(Searcher(arrays, None, gate=OFF), "flood", allowed_files=[0, 1, 2, 3])

    assert {name: one.reason for name, one in found.items() if not one.used} == {
        "empty.md": "it has no text",
        "locked.pdf": "it could not be read: it is encrypted",
        "far.md": "no passage of it came near the question",
        "left-out.md": "it was not searched",
    }
    assert all(one.rank is None and one.score is None for one in found.values() if not one.used)


def test_another_language_is_said_not_to_be_checked():
    arrays = body(document("tor.md", "Das Tor.", "de"), document("gate.md", "Tor Tor", "en"))

    found = explained(Searcher(arrays, None, gate=AUTO), "Tor", k=1)

    unchecked = found["tor.md"]
    assert unchecked.relevance is None
    assert "not checked" in unchecked.reason
