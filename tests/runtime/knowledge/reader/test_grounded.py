from __future__ import annotations

import pytest

from satchel.runtime.knowledge.reader.grounded import GroundednessCheck, Verdict

TESLA = (
    "Nikola Tesla was born in 1856 in Smiljan. He moved to New York in 1884 and worked for Thomas Edison. "
    "Westinghouse bought 40 of his patents for $60,000 in 1888."
)
TIDES = "Tides rise and fall twice a day. The Moon pulls the sea more strongly than the Sun does."


@pytest.fixture(scope="module")
def grounded() -> GroundednessCheck:
    return GroundednessCheck()


@pytest.mark.parametrize(
    "sentence",
    [
        "Nikola Tesla was born in 1856 in Smiljan.",
        "Tesla was born in Smiljan in 1856.",
        "In 1884 Tesla moved to New York and worked for Thomas Edison.",
        "He sold forty patents to Westinghouse, who bought them for $60,000.",
        "The Moon pulls the sea more strongly than the Sun.",
    ],
)
def test_what_a_passage_says_is_supported(grounded, sentence):
    assert grounded.check(sentence, [TIDES, TESLA]).verdict is Verdict.SUPPORTED


@pytest.mark.parametrize(
    ("sentence", "differing"),
    [
        ("Nikola Tesla was born in 1857 in Smiljan.", "1857"),
        ("Nikola Tesla was born in 1884 in Smiljan.", "1884"),
        ("He moved to Boston in 1884 and worked for Thomas Edison.", "Boston"),
        ("He moved to New York in 1884 and worked for Westinghouse.", "Westinghouse"),
        ("The Sun pulls the sea more strongly than the Moon does.", "Sun"),
    ],
)
def test_another_name_or_number_contradicts_and_is_named(grounded, sentence, differing):
    found = grounded.check(sentence, [TIDES, TESLA])
    assert found.verdict is Verdict.CONTRADICTED
    assert differing in found.differing


def test_a_statement_about_something_else_is_not_found(grounded):
    assert grounded.check("Lighthouses warn ships of rocks at night.", [TIDES, TESLA]).verdict is Verdict.NOT_FOUND


def test_the_evidence_is_the_sentence_that_was_compared(grounded):
    found = grounded.check("Tides fall and rise twice a day.", [TESLA, TIDES])
    assert found.passage == 1
    assert TIDES[found.start : found.end] == "Tides rise and fall twice a day."


def test_a_denied_statement_contradicts(grounded):
    found = grounded.check("Tides do not rise and fall twice a day.", [TIDES])
    assert found.verdict is Verdict.CONTRADICTED
    assert found.differing == ("not",)


def test_nothing_to_compare_is_not_found(grounded):
    assert grounded.check("", [TIDES]).verdict is Verdict.NOT_FOUND
    assert grounded.check("Tides rise.", []).verdict is Verdict.NOT_FOUND
