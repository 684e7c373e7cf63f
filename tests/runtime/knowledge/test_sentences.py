"""Where sentences begin and end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.knowledge.documents import Heading
from satchel.runtime.knowledge.sentences import SentenceKind, split_sentences


def cut(text: str) -> list[str]:
    return [text[one.start : one.end] for one in split_sentences(text)]


def kinds(text: str) -> list[SentenceKind]:
    return [one.kind for one in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Dr. Müller met Prof. Smith. They talked.", 2),
        ("It was 3.14 metres, e.g. more than Fig. 2 shows. So it broke.", 2),
        ("The U.S. Army came at 5 p.m. on Monday. It left.", 2),
        ("Born in St. Gallen, J. R. R. Tolkien's friend wrote it. Nobody read it.", 2),
        ("Am 3. Oktober kam Nr. 5 an. Danach nichts.", 2),
        ("See pp. 12 and vol. 3 of it. Then stop.", 2),
        ("They bought cars, boats, etc. The rest was sold.", 2),
        ("Is it so? Yes! It is… Perhaps.", 4),
        ("He waited ... and waited. Then he left.", 2),
        ("Who, me? asked the keeper.", 1),
        ("IV. The king spoke.", 1),
    ],
)
def test_an_abbreviations_full_stop_ends_no_sentence(text, count):
    assert len(cut(text)) == count


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ('He said "Stop." Then he left.', ['He said "Stop."', "Then he left."]),
        ("“Is it safe?” “No.”", ["“Is it safe?”", "“No.”"]),
        ("It broke (in 1999.) It was mended.", ["It broke (in 1999.)", "It was mended."]),
        ("« Non. » Il part.", ["« Non. »", "Il part."]),
        ("Er kam. »Halt!« rief sie.", ["Er kam.", "»Halt!« rief sie."]),
    ],
)
def test_closing_quotes_and_brackets_belong_to_the_sentence_before(text, sentences):
    assert cut(text) == sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("潮汐来了。门关上了！真的吗？", ["潮汐来了。", "门关上了！", "真的吗？"]),  # noqa: RUF001 - real punctuation
        ("「止まれ。」と言った。", ["「止まれ。」", "と言った。"]),
        ("هل هذا صحيح؟ نعم۔ انتهى", ["هل هذا صحيح؟", "نعم۔", "انتهى"]),  # noqa: RUF001 - real punctuation
        ("वह आया। वह गया।", ["वह आया।", "वह गया।"]),
    ],
)
def test_scripts_without_capitals_end_sentences_by_their_own_marks(text, sentences):
    assert cut(text) == sentences


def test_wrapped_lines_are_one_sentence_and_blank_lines_part_paragraphs():
    assert cut("The gate closes\nat high water.\n\nIt opens again") == [
        "The gate closes\nat high water.",
        "It opens again",
    ]


def test_a_line_that_is_clearly_shorter_than_its_paragraph_stands_alone():
    text = "Opening hours\nThe harbour office is open from nine to five.\nClosed\nOn Sundays nobody is there."

    assert cut(text)[0] == "Opening hours"
    assert "Closed" in cut(text)


@pytest.mark.parametrize("marker", ["-", "*", "•", "1.", "(a)", "12)", "–"])  # noqa: RUF001 - a real dash
def test_list_items_are_units_without_their_markers(marker):
    text = f"Bring these:\n{marker} two ropes\n{marker} four fenders. And paint."

    assert cut(text)[1:] == ["two ropes", "four fenders.", "And paint."]
    assert kinds(text)[1:] == [SentenceKind.ITEM] * 3


def test_a_row_of_a_table_is_one_unit_whatever_stands_in_it():
    text = "id: T-003; tool: Lathe no. 2. B; status: ok\nid: T-004; tool: Saw; status: no\n| a | 1. Two |\n|---|---|\n"

    assert cut(text) == [line for line in text.splitlines() if line]
    assert set(kinds(text)) == {SentenceKind.ITEM}


def test_headings_are_units_of_their_own_and_no_sentence_runs_over_one():
    text = "Before the gate\nThe Gate\nIt closes. It opens."
    heading = Heading(16, 24, 1)

    found = split_sentences(text, [heading])

    assert [(text[one.start : one.end], one.kind) for one in found] == [
        ("Before the gate", SentenceKind.PROSE),
        ("The Gate", SentenceKind.HEADING),
        ("It closes.", SentenceKind.PROSE),
        ("It opens.", SentenceKind.PROSE),
    ]


def test_a_heading_inside_another_is_skipped():
    assert len(split_sentences("Chapter one", [Heading(0, 11, 1), Heading(3, 5, 2)])) == 1


@pytest.mark.parametrize("text", ["", " \n\t\n ", "\u200b"])
def test_white_space_has_no_sentences(text):
    assert all(text[one.start : one.end].strip() for one in split_sentences(text))


@given(st.text(alphabet=st.sampled_from('aB1 .!?。\n-•*\t"”’()|:;éßあ\u0301😀'), max_size=80))  # noqa: RUF001 - real punctuation
def test_sentences_rise_never_overlap_are_trimmed_and_leave_out_only_white_space_and_markers(text):
    found = split_sentences(text)

    position = 0
    for one in found:
        assert position <= one.start < one.end <= len(text)
        piece = text[one.start : one.end]
        assert piece == piece.strip()
        assert not any(map(str.isalnum, text[position : one.start])) or "1" in text[position : one.start] or "a" in text
        position = one.end
    assert not text[position:].strip()
