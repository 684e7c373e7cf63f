from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.permissions.labels import EVERYONE, LOWEST, WEB, Integrity, Label, join, only, typed_label
from satchel.runtime.permissions.provenance import (
    LEAST_SPAN,
    MOST_PARTS,
    MOST_PARTS_OF_A_CALL,
    Labelled,
    Sources,
    count_spans,
    has_span,
    label_argument,
    label_arguments,
    stands_in_message,
)

TYPED = typed_label(["https://a.org"])
PAGE = Label(Integrity.UNTRUSTED, EVERYONE)
FILE = LOWEST
MESSAGE = "Is the Dental check-up on June 13 at 10:30? Mail bob@example.org, please: 2 seats, Zürich"


def labelled(value, *, page="", file="", message=MESSAGE, context=LOWEST):
    values = (Labelled(page, PAGE), Labelled(file, FILE))
    return label_argument(value, Sources(Labelled(message, TYPED), values, context))


@pytest.mark.parametrize(
    "value",
    [
        *("Dental check-up", "dental check-up", "check-up Dental", "bob@example.org", "June 13", "13", 13, 2, "10:30"),
        *("Zürich", "zürich", ["June", "seats"], {"seats": 2}, "please: 2 seats,"),
        "bob@example",
    ],
)
def test_an_argument_whose_words_all_stand_in_the_message_is_the_persons(value):
    assert labelled(value, page="Dental check-up June 13 bob@example.org") == TYPED


@pytest.mark.parametrize(
    "value",
    [
        *("", " ", "Dental  check-up", "check-up Dental ", "DENTAL", "DEntal", "Dental Dental", "ental", "example.or"),
        *("1", 3, "Dental\tcheck-up", "June\u200b", "evil", True, None, [], {}, 1.5, float("nan")),
        *(float("inf"), {"evil": 2}, ["June", "evil"], {"seats": {"evil": 2}}, [[]], [None], "13 13", "D"),
        MESSAGE + " evil",
    ],
)
def test_whatever_else_an_argument_holds_is_the_models_own(value):
    assert labelled(value) == LOWEST


@pytest.mark.parametrize("value", [True, False, None, float("nan"), float("inf"), [], {}])
def test_what_is_no_word_is_the_models_own_even_if_the_message_spells_it(value):
    assert labelled(value, message="True False None nan inf [] {}") == LOWEST


def test_words_within_words_do_not_make_a_message_longer_than_it_is():
    assert labelled("a b a-b", message="a-b") == LOWEST
    assert stands_in_message("a b a-b", "a-b") is False
    assert stands_in_message("a-b", "a-b") is True


def test_a_verbatim_span_has_the_label_of_the_value_that_holds_it():
    assert labelled("the Riverside View", page="Stay at the Riverside View, it is fine") == PAGE
    assert labelled("Account 12", file="Account 12") == FILE


def test_a_span_that_several_values_hold_has_the_label_of_all_of_them():
    assert labelled("Riverside", page="Riverside", file="at Riverside.", context=WEB) == join([PAGE, FILE])
    # Twelve words of a message with two spaces are a span of it, and not its words.
    assert labelled("an  odd span", page="an  odd span", message="an  odd span", context=LOWEST) == join([TYPED, PAGE])


@pytest.mark.parametrize("value", ["River", "iverside", "Riversid", "Riverside_", "riverside"])
def test_a_span_has_at_least_six_characters_and_whole_words(value):
    assert labelled(value, page="at Riverside_View or Riverside", context=LOWEST) == LOWEST
    assert labelled("or River", page="at Rivers or Riverside", context=LOWEST) == LOWEST


def test_six_characters_are_enough():
    assert labelled("a view", page="with a view of it") == PAGE
    assert labelled("a vie", page="with a vie of it") == LOWEST


def test_a_list_is_the_join_of_its_parts():
    assert labelled(["Riverside", "June"], page="Riverside") == join([PAGE, TYPED])
    assert labelled({"Riverside": ["Account 12"]}, page="Riverside", file="Account 12") == join([PAGE, FILE])


def test_an_argument_of_many_parts_is_the_models_own_because_its_choices_could_spell_a_file():
    spans = [f"choice{number}" for number in range(MOST_PARTS)]
    page = " ".join([*spans, "choice8"])

    assert labelled(spans, page=page) == PAGE
    assert labelled([*spans, "choice8"], page=page) == LOWEST
    assert labelled({"choice0": spans}, page=page) == LOWEST


def test_each_argument_has_its_label():
    sources = Sources(Labelled("send June 13", TYPED), (), WEB)

    assert label_arguments({"a": "June", "b": "other", "c": 13}, sources) == {"a": TYPED, "b": WEB, "c": TYPED}
    assert label_arguments({}, sources) == {}


def test_the_bounds_are_those_of_the_readme():
    assert (LEAST_SPAN, MOST_PARTS, MOST_PARTS_OF_A_CALL) == (6, 8, 24)


def test_a_call_of_many_arguments_is_the_models_own_as_a_whole():
    sources = Sources(Labelled("June", TYPED), (), LOWEST)
    most = {str(number): "June" for number in range(MOST_PARTS_OF_A_CALL)}

    assert label_arguments(most, sources) == dict.fromkeys(most, TYPED)
    assert set(label_arguments({**most, "more": "June"}, sources).values()) == {LOWEST}
    assert set(label_arguments({**most, "0": ["June", "June"]}, sources).values()) == {LOWEST}


@pytest.mark.parametrize(
    ("text", "span", "times"),
    [
        ("a-b a", "a", 2),
        ("aa", "a", 0),
        ("a a", "a", 2),
        ("x13y 13", "13", 1),
        ("(13)", "13", 1),
        ("13_", "13", 0),
        ("--", "-", 2),
    ],
)
def test_spans_end_at_the_borders_of_words(text, span, times):
    assert count_spans(text, span) == times
    assert has_span(text, span) is (times > 0)


def test_a_words_small_letters_count_as_the_word_but_no_other_mixture_does():
    assert stands_in_message("june june", "June june")
    assert not stands_in_message("June June", "June june")
    assert not stands_in_message("JUNE", "june 2024")


@given(st.text(alphabet="aAb \u200b-1é", max_size=12), st.text(alphabet="aAb \u200b-1é", max_size=20))
def test_a_text_stands_in_a_message_only_if_all_its_visible_words_do(text, message):
    if stands_in_message(text, message):
        assert all(word in message or word in message.lower() for word in text.split(" "))
        assert "" not in text.split(" ")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=20))
def test_no_value_is_above_everything_that_it_could_come_from(value):
    sources = Sources(Labelled("June 13", TYPED), (Labelled("a page of words", WEB),), LOWEST)

    assert label_argument(value, sources) in {TYPED, WEB, LOWEST, join([TYPED, WEB]), Label(Integrity.USER, only("x"))}
