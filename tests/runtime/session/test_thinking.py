"""A model's thinking is told from its answer, whatever pieces it comes in."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.session.thinking import ThinkingFilter

FRAGMENTS = st.lists(
    st.sampled_from(["<think>", "</think>", "<", "</", "think>", "<thin", "k>", "\n", " ", "tide", "é", "<b>", ">"]),
    max_size=12,
).map("".join)


def separate(pieces: Sequence[str]) -> tuple[str, str]:
    """Return thought and answer of a text that comes in pieces."""
    said = {True: "", False: ""}
    filter_ = ThinkingFilter()
    for piece in pieces:
        for is_thought, text in filter_.feed(piece):
            assert text
            said[is_thought] += text
    for is_thought, text in filter_.finish():
        said[is_thought] += text
    return said[True], said[False]


@pytest.mark.parametrize(
    ("text", "thought", "answer"),
    [
        ("The tide.", "", "The tide."),
        ("<think>\nHm.\n</think>\n\nThe tide.", "Hm.\n", "The tide."),
        ("\n <think>Hm.</think>The tide.", "Hm.", "The tide."),
        ("<think></think>The tide.", "", "The tide."),
        ("<think>cut off", "cut off", ""),
        ("<think>cut </thin", "cut </thin", ""),
        ("<thi", "", "<thi"),
        ("<", "", "<"),
        ("<b>bold</b>", "", "<b>bold</b>"),
        ("The tag <think>x</think> is text here.", "", "The tag <think>x</think> is text here."),
        ("<think>a</think><think>b</think>", "a", "<think>b</think>"),
        ("</think>", "", "</think>"),
        ("  \n", "", ""),
        ("", "", ""),
    ],
)
def test_only_the_beginning_of_an_answer_can_be_thought(text, thought, answer):
    assert separate([text]) == (thought, answer)


@given(FRAGMENTS, st.lists(st.integers(0, 60), max_size=8))
def test_how_a_text_is_cut_into_pieces_changes_nothing(text, cuts):
    borders = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[start:end] for start, end in itertools.pairwise(borders)]

    assert separate(pieces) == separate([text])
    assert separate(list(text)) == separate([text])


@given(FRAGMENTS)
def test_nothing_but_tags_and_white_space_before_a_text_is_lost(text):
    thought, answer = separate([text])

    begun = text.lstrip()
    if begun.startswith("<think>"):
        inside, closing, rest = begun.removeprefix("<think>").partition("</think>")
        assert (thought, answer) == (inside.lstrip(), rest.lstrip() if closing else "")
    else:
        assert (thought, answer) == ("", begun)


def test_words_are_passed_on_as_soon_as_they_cannot_be_a_tag():
    filter_ = ThinkingFilter()

    assert list(filter_.feed("<th")) == []
    assert list(filter_.feed("e tide")) == [(False, "<the tide")]
    assert list(filter_.feed("<")) == [(False, "<")]


def test_a_thought_is_passed_on_while_it_is_thought():
    filter_ = ThinkingFilter()

    assert list(filter_.feed("<think>\n")) == []
    assert list(filter_.feed("First, ")) == [(True, "First, ")]
    assert list(filter_.feed("the moon</th")) == [(True, "the moon")]
    assert list(filter_.feed("ink>It")) == [(False, "It")]


@pytest.mark.parametrize(
    ("text", "thought", "answer"),
    [
        ("Hm.\n</think>\n\nThe tide.", "Hm.\n", "The tide."),
        ("cut off", "cut off", ""),
        ("</think>The tide.", "", "The tide."),
    ],
)
def test_a_thought_that_the_prompt_opened_ends_at_its_tag(text, thought, answer):
    said = {True: "", False: ""}
    filter_ = ThinkingFilter(inside=True)
    for is_thought, piece in itertools.chain(*map(filter_.feed, text), filter_.finish()):
        said[is_thought] += piece

    assert (said[True], said[False]) == (thought, answer)
