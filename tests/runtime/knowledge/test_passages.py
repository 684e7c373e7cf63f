"""How a file's text is cut into passages."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.knowledge.documents import ExtractedText, Heading, PassageSpan
from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.knowledge.passages import SPECIAL_TOKENS, PassageSettings, split
from satchel.runtime.packfile.limits import PASSAGE_CHARACTERS

SENTENCE = "The harbour gate closes at noon. "
TOKENS = 6


def words(texts: Sequence[str]) -> list[int]:
    """Count a token a word."""
    return [len(text.split()) for text in texts]


def characters(texts: Sequence[str]) -> list[int]:
    """Count a token a character, white space included, as a tokeniser of bytes does."""
    return [len(text) for text in texts]


def passages(text: str, tokens: int, overlap: int = 0, **places) -> list[str]:
    spans = split(ExtractedText("text/plain", text, **places), PassageSettings(tokens, overlap), words)
    return [text[span.start : span.end] for span in spans]


def embedder(max_tokens: int, prefix: str = "") -> EmbedderFingerprint:
    return EmbedderFingerprint("e", "1" * 64, 4, "mean", max_tokens, passage_prefix=prefix)


def test_a_short_text_is_one_passage_without_the_white_space_at_its_ends():
    assert passages("  One sentence. Another.\n\n", 200) == ["One sentence. Another."]


UNBROKEN = {
    "one letter": "x",
    "a symbol": "🦀",
    "marks on one letter": "\u0301",
    "joiners": "\u200d",
    "control characters": "\x01",
    "spaces that do not break": "ab\u00a0",
    "lines": "x" * 5000 + "\n\n",
}


@pytest.mark.parametrize("piece", UNBROKEN.values(), ids=UNBROKEN.keys())
def test_a_text_without_breaks_and_tokens_is_cut_by_its_characters(piece):
    text = "a" + piece * (300_000 // len(piece))
    for count in (words, lambda texts: [1] * len(texts), lambda texts: [0] * len(texts)):
        spans = split(ExtractedText("text/plain", text), PassageSettings(200, 20), count)
        assert max(span.end - span.start for span in spans) <= 24 * 200
        kept = "".join(text[span.start : span.end] for span in spans)
        assert len(spans) <= 500
        assert len(kept.replace("\u00a0", "")) >= len("".join(text.split()))


def test_no_passage_is_longer_than_a_pack_takes_whatever_its_size_in_tokens():
    spans = split(ExtractedText("text/plain", "x" * 100_000), PassageSettings(8192), lambda texts: [1] * len(texts))
    assert max(span.end - span.start for span in spans) <= PASSAGE_CHARACTERS


@pytest.mark.parametrize("text", ["", " \n\n "])
def test_a_text_without_words_has_no_passage(text):
    assert passages(text, 200) == []


def test_passages_end_at_sentences_and_hold_as_many_as_fit():
    found = passages(SENTENCE * 10, 3 * TOKENS)

    assert all(text.endswith(".") for text in found)
    assert len(found) == 4
    assert max(text.count(".") for text in found) == 3


def test_a_paragraph_is_not_torn_where_a_border_between_two_is_near():
    first, second = (SENTENCE * 3).strip(), ("Boats wait outside the long pier. " * 3).strip()

    assert passages(f"{first}\n\n{second}", 4 * TOKENS) == [first, second]


def test_a_passage_begins_at_its_heading_and_none_ends_with_one():
    text = f"{SENTENCE * 3}\n\nFees\n\n{SENTENCE * 3}"
    at = text.index("Fees")

    found = passages(text, 4 * TOKENS, headings=(Heading(at, at + 4, 2),))

    assert len(found) == 2
    assert found[1].startswith("Fees\n\nThe harbour")


def test_headings_one_under_the_other_stay_together():
    text = f"{SENTENCE * 3}\n\nPart\n\nChapter\n\n{SENTENCE * 3}"
    at, under = text.index("Part"), text.index("Chapter")

    found = passages(text, 4 * TOKENS, headings=(Heading(at, at + 4, 1), Heading(under, under + 7, 2)))

    assert found[1].startswith("Part\n\nChapter\n\nThe harbour")


def test_overlap_repeats_whole_sentences_of_the_passage_before():
    text = " ".join(f"Sentence number {number} has six words." for number in range(12))

    found = passages(text, 24, overlap=6)

    for before, after in pairwise(found):
        assert before.endswith(after[: after.index(".") + 1])
        assert len(after.split()) <= 24


def test_overlap_does_not_reach_over_a_heading():
    text = f"{SENTENCE * 3}\n\nFees\n\n{SENTENCE * 3}"
    at = text.index("Fees")

    assert passages(text, 4 * TOKENS, overlap=TOKENS, headings=(Heading(at, at + 4, 2),))[1].startswith("Fees")


def test_a_sentence_longer_than_a_passage_is_cut_at_spaces():
    text = " ".join(f"word{number}" for number in range(50))

    found = passages(text, 12)

    assert " ".join(found) == text
    assert max(len(one.split()) for one in found) <= 12


def test_a_word_longer_than_a_passage_is_cut_and_never_before_a_combining_mark():
    text = "e\u0301" * 40
    spans = split(ExtractedText("text/plain", text), PassageSettings(7), characters)

    pieces = [text[span.start : span.end] for span in spans]
    assert "".join(pieces) == text
    assert all(len(piece) <= 7 and not piece.startswith("\u0301") for piece in pieces)


def test_a_list_items_marker_stays_with_it():
    assert passages("Bring:\n- two ropes\n- four fenders", 3) == ["Bring:", "- two ropes", "- four fenders"]


def test_passages_are_shortened_to_the_embedders_window():
    within = PassageSettings(200, 150).within(embedder(128), words)

    assert (within.tokens, within.overlap) == (128 - SPECIAL_TOKENS, 63)


def test_an_embedders_prefix_takes_its_part_of_the_window():
    assert PassageSettings(200).within(embedder(64, "search document: "), words).tokens == 64 - SPECIAL_TOKENS - 2


def test_settings_below_the_window_stay():
    assert PassageSettings(200, 20).within(embedder(256), words) == PassageSettings(200, 20)


@st.composite
def files(draw: st.DrawFn) -> ExtractedText:
    pieces = st.sampled_from(
        [
            "The gate closes. ",
            "é😀 ",
            "潮汐来了。",
            "\n\n",
            "\n- item ",
            "Title\n",
            "a",
            " ",
            "e\u0301",
            "Dr. X",
            "x" * 30,
        ]
    )
    text = "".join(draw(st.lists(pieces, max_size=40)))
    starts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=3)))
    at = draw(st.integers(0, len(text)))
    heading = Heading(at, min(len(text), at + 5), 1)
    return ExtractedText(
        "text/plain", text, page_starts=tuple(starts), headings=(heading,) if text[at : at + 5].strip() else ()
    )


@given(files(), st.integers(1, 30), st.integers(0, 15), st.sampled_from([words, characters]))
def test_every_passage_fits_is_trimmed_and_all_text_lies_in_one(extracted, tokens, overlap, count):
    spans = split(extracted, PassageSettings(tokens, min(overlap, tokens // 2)), count)

    text = extracted.text
    held = bytearray(len(text))
    last = PassageSpan(-1, -1)
    for span in spans:
        piece = text[span.start : span.end]
        assert piece == piece.strip() != ""
        assert count([piece])[0] <= tokens or len(piece) == 1
        assert last.start <= span.start
        assert last.end < span.end
        held[span.start : span.end] = b"x" * (span.end - span.start)
        last = span
    assert not "".join(letter for letter, is_held in zip(text, held, strict=True) if not is_held).strip()


@given(files(), st.integers(1, 30))
def test_the_same_text_is_cut_the_same_way(extracted, tokens):
    settings = PassageSettings(tokens)

    assert split(extracted, settings, words) == split(extracted, settings, words)
