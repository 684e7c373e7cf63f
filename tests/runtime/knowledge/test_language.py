from __future__ import annotations

import subprocess
import sys

import pytest
from helpers.languages import SENTENCES

from satchel.runtime.knowledge.language import detect_language, identifier, is_plain_english


@pytest.mark.parametrize("language", SENTENCES)
def test_short_and_long_sentences_are_told(language: str) -> None:
    assert {detect_language(sentence) for sentence in SENTENCES[language]} == {language}


@pytest.mark.parametrize("text", ["", "   ", "12345 67 — 8", "Hello", "Ok", "https://example.com/a", "T. J. X."])
def test_what_says_too_little_has_no_language(text: str) -> None:
    assert detect_language(text) == ""


def test_a_text_half_in_one_language_and_half_in_another_has_none() -> None:
    assert detect_language(SENTENCES["en"][2] * 10 + SENTENCES["de"][2] * 10) == ""


def test_a_quotation_in_another_language_does_not_matter() -> None:
    assert detect_language(SENTENCES["de"][2] * 10 + SENTENCES["fr"][2] + SENTENCES["de"][2] * 10) == "de"


def test_a_long_text_is_judged_by_pieces_from_all_over_it() -> None:
    assert detect_language("1 2 3\n" * 500 + SENTENCES["es"][2] * 2000) == "es"


def test_plain_english_needs_no_model() -> None:
    program = (
        "import sys; from satchel.runtime.knowledge.language import detect_language; "
        "print(detect_language('What is the name of the river that flows through it?'), 'py3langid' in sys.modules)"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert output.split() == ["en", "False"]


def test_no_other_language_is_taken_for_plain_english() -> None:
    others = [sentence for language in SENTENCES if language != "en" for sentence in SENTENCES[language]]
    assert not any(map(is_plain_english, others))


def test_the_model_read_in_memory_is_the_one_of_py3langid() -> None:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    theirs = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    sentences = [sentence for group in SENTENCES.values() for sentence in group]
    assert [identifier().classify(sentence) for sentence in sentences] == [
        theirs.classify(sentence) for sentence in sentences
    ]
