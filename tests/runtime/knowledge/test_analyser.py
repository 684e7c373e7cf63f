"""Which terms a text is indexed and searched by."""

from __future__ import annotations

import unicodedata

import pytest
import snowballstemmer
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.knowledge.analyser import NAME, SNOWBALL_NAMES, VERSION, Analyser, analyser_fingerprint

PLAIN = Analyser("")
ENGLISH = Analyser("en")


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("The harbour's gates", ["the", "harbour's", "gates"]),
        ("max_tokens=5", ["max", "tokens", "5"]),
        ("knowledge:search.find", ["knowledge", "search", "find"]),
        ("U.S. and u.s.a.", ["us", "and", "usa"]),
        ("7,000,000 or 7.000.000 or 7'000'000", ["7000000", "or", "7000000", "or", "7000000"]),
        ("3.14 and 3,14", ["3.14", "and", "3.14"]),
        ("well-known e-mail", ["well", "known", "e", "mail"]),
        ("", []),
        ("… — ?!", []),
    ],
)
def test_words_are_those_of_unicode_with_what_search_profits_from(text, terms):
    assert PLAIN.terms(text) == terms


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("\uff26\uff2c\uff2f\uff2f\uff24", "flood"),  # full width
        ("ﬁne", "fine"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("Ⅻ", "xii"),
        ("x²", "x2"),
    ],
)
def test_compatible_characters_and_capitals_are_folded(text, folded):
    assert PLAIN.terms(text) == [folded]


@given(st.text(alphabet="aéÉßﬁÅ①Ⅻあア한 '.,7_", max_size=30))
def test_composed_and_decomposed_text_give_the_same_terms(text):
    composed, decomposed = (Analyser("en").terms(unicodedata.normalize(form, text)) for form in ("NFC", "NFD"))

    assert composed == decomposed


@given(st.text(max_size=40))
def test_no_text_breaks_the_analyser_and_no_term_is_empty(text):
    assert all(ENGLISH.terms(text))
    assert set(ENGLISH.content_terms(text)) <= set(ENGLISH.terms(text))


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("潮汐表", ["潮", "汐", "表", "潮汐", "汐表"]),
        ("かな", ["かな"]),
        ("한국어", ["한국", "국어"]),
        ("あ", ["あ"]),
        ("2024年の潮", ["2024", "年", "潮", "年の", "の潮"]),
    ],
)
def test_scripts_without_spaces_become_pairs_of_characters(text, terms):
    assert PLAIN.terms(text) == terms


@pytest.mark.parametrize(
    ("language", "text", "terms"),
    [
        ("en", "gates flooding", ["gate", "flood"]),
        ("de", "Überschwemmungen", ["uberschwemm"]),
        ("pt-BR", "cidades", ["cidad"]),
        ("fr", "l'orbite d’Uranus", ["l", "orbit", "d", "uranus"]),  # noqa: RUF001 - a real apostrophe
        ("en", "l'orbite", ["l'orbit"]),
        ("xx", "gates", ["gates"]),
    ],
)
def test_words_are_stemmed_by_the_files_language(language, text, terms):
    assert Analyser(language).terms(text) == terms


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "it", "nl", "pt", "ru", "sv"])
def test_stems_are_snowballs(language):
    reference = snowballstemmer.stemmer(SNOWBALL_NAMES[language])
    words = ["national", "nationale", "nationalen", "stationen", "communication", "libros", "gatti", "книгами"]

    assert [Analyser(language).terms(word) for word in words] == [[reference.stemWord(word)] for word in words]


@pytest.mark.parametrize(
    ("question", "terms"),
    [
        ("What is the gate for?", ["gate"]),
        ("Who was it?", ["who", "was", "it"]),
        ("What's the gate?", ["gate"]),
    ],
)
def test_a_question_is_searched_without_its_function_words_unless_it_has_no_other(question, terms):
    assert ENGLISH.query_terms(question) == terms


def test_passages_keep_their_function_words():
    assert ENGLISH.terms("What is the gate for?") == ["what", "is", "the", "gate", "for"]


def test_what_is_too_long_to_be_a_word_is_cut():
    assert [len(term) for term in PLAIN.terms("a" * 5000)] == [64]


def test_the_fingerprint_names_rules_stemmers_and_languages():
    made = analyser_fingerprint(["en", "de", "en"])

    assert (made.name, made.version, made.languages) == (NAME, VERSION, ("de", "en"))
    assert "Snowball" in VERSION
