from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.knowledge.reader.wordpiece import WordPiece

VOCABULARY = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "!", "$", "(", ")", "-", ",", ".", "?", "_", "`", "a", "b", "c"),
    *(
        "##a",
        "##b",
        "##c",
        "the",
        "tide",
        "##s",
        "##d",
        "ri",
        "##se",
        "cafe",
        "20",
        "##24",
        "中",
        "文",
        "istanbul",
        "ab",
        "½",
    ),
]


@pytest.fixture(scope="module")
def pieces() -> WordPiece:
    return WordPiece({piece: number for number, piece in enumerate(VOCABULARY)})


def shown(pieces: WordPiece, text: str) -> list[tuple[str, str]]:
    tokens = pieces.tokenise(text)
    return [(VOCABULARY[number], text[a:b]) for number, (a, b) in zip(tokens.ids, tokens.offsets, strict=True)]


def test_each_token_knows_its_characters(pieces):
    assert shown(pieces, "The TIDES rise, 2024!") == [
        ("the", "The"),
        ("tide", "TIDE"),
        ("##s", "S"),
        ("ri", "ri"),
        ("##se", "se"),
        (",", ","),
        ("20", "20"),
        ("##24", "24"),
        ("!", "!"),
    ]


def test_accents_and_capitals_are_folded_but_the_offsets_are_those_of_the_text(pieces):
    assert shown(pieces, "“Café” İstanbul")[1:3] == [("cafe", "Café"), ("[UNK]", "”")]
    assert shown(pieces, "İstanbul") == [("istanbul", "İstanbul")]
    assert shown(pieces, "cafe\u0301 a")[0] == ("cafe", "cafe")


def test_each_chinese_character_stands_alone(pieces):
    assert shown(pieces, "a中文b") == [("a", "a"), ("中", "中"), ("文", "文"), ("b", "b")]


def test_a_word_without_pieces_is_one_unknown_token(pieces):
    assert shown(pieces, "xyz a") == [("[UNK]", "xyz"), ("a", "a")]
    assert shown(pieces, "a" * 101) == [("[UNK]", "a" * 101)]


def test_control_characters_are_in_no_token_and_part_no_word(pieces):
    assert shown(pieces, "a\x00b \x0bc") == [("ab", "a\x00b"), ("c", "c")]


def test_an_empty_text_has_no_tokens(pieces):
    assert pieces.tokenise("").ids == ()
    assert pieces.tokenise(" \n\t ").ids == ()


@given(st.text(max_size=60))
def test_any_text_is_tokenised_with_rising_offsets_inside_it(pieces, text):
    offsets = pieces.tokenise(text).offsets
    assert all(0 <= a < b <= len(text) for a, b in offsets)
    assert all(first[0] <= second[0] for first, second in itertools.pairwise(offsets))


@given(st.text(alphabet=st.sampled_from("abc tideSÉé½中文.,-_\u0301\u200b\x0b\u00a0ßﬁ20!"), max_size=40))
def test_ids_and_offsets_are_those_of_the_tokenizers_library(pieces, text):
    tokenizers = pytest.importorskip("tokenizers")
    theirs = tokenizers.Tokenizer(
        tokenizers.models.WordPiece(
            {p: n for n, p in enumerate(VOCABULARY)}, unk_token="[UNK]", max_input_chars_per_word=100
        )
    )
    theirs.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    theirs.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    expected = theirs.encode(text, add_special_tokens=False)
    mine = pieces.tokenise(text)
    assert list(mine.ids) == expected.ids
    assert list(mine.offsets) == expected.offsets
