"""The ids of the `tokenizers` library, for every text: a wrong id is a wrong vector."""

# ruff: noqa: RUF001 - letters that look like others are what is tested

from __future__ import annotations

import random
import sys
import unicodedata

import msgspec
import pytest
from helpers.embedder_folders import write_embedder_folder
from helpers.languages import SENTENCES
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.errors import MissingExtraError
from satchel.runtime.knowledge.embedders.bundled import TOKENIZER, bundled_embedder
from satchel.runtime.knowledge.embedders.tokenizer import load_tokenizer
from satchel.runtime.knowledge.embedders.wordpiece import WordPieceTokenizer

MAX_TOKENS = 256
ODD = (
    "",
    " ",
    "\n\t\r\n",
    "\x00\x01\x7f\x85\x9f",
    "a\x00b\x1fc\u200bd\u200ee\ufefff\u2028g\u2029h\u00a0i\u3000j",
    "\ufffd \ufffe \uffff \ue000 \U000f0000",
    "x" * 99,
    "x" * 100,
    "x" * 101,
    "w" * 50_000,
    "word " * 3000,
    "a" + "\u0301" * 500,
    "İstanbul ǅ ß ſ ﬁ Ⅷ ½ ℃ ㎏",
    "naïve café — “quoted” ‘single’ … ‰ € £ ¥ ™ ©",
    "can't won't it's o'clock e.g. i.e. U.S.A. 3.14 1,000 50% #tag @name a_b a-b a/b",
    "[CLS] text [SEP] in a text [MASK] [UNK] [PAD] [cls] [ SEP ]",
    "##ing ## # [unused1] [unused99]",
    "漢字かな交じり文 한국어 텍스트 ภาษาไทยไม่มีช่องว่าง हिन्दी में पाठ עברית عَرَبِيّ",
    "👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 ✊🏽 ☃️",
    "e\u0301\u0323 \u0344 \u1e9b\u0323 \uac00\u11a8 \u0f73\u0f75",
    "def f(x: int) -> int:\n\treturn x**2  # ünïcode\n",
    "<p class=\"a\">&nbsp;&lt;tag&gt;</p> {{ '{' }} \\n \\u0041",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 ℌ 𝒽𝑒𝓁𝓁𝑜 ａｂｃ １２３",
)


@pytest.fixture(scope="module")
def ours():
    tokenizer = load_tokenizer((bundled_embedder().folder / TOKENIZER).read_bytes(), max_tokens=MAX_TOKENS)
    # The point of the tests below: it is not the library that answers.
    assert isinstance(tokenizer, WordPieceTokenizer)
    return tokenizer


@pytest.fixture(scope="module")
def library():
    """The tokenizer as sentence-transformers sets it: cut, and not padded."""
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer.from_file(str(bundled_embedder().folder / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


def theirs(library, text: str) -> list[int]:
    return library.encode(text).ids


def test_real_texts_have_the_librarys_ids(ours, library, passages):
    chosen = passages[:: len(passages) // 400]
    assert len(chosen) >= 400
    for text in chosen:
        assert ours.encode(text) == theirs(library, text), text


def test_long_texts_are_cut_where_the_library_cuts_them(ours, library, passages):
    for start in range(0, 60, 6):
        text = "\n\n".join(passages[start : start + 6])
        assert ours.encode(text) == theirs(library, text)
        assert len(ours.encode(text)) == MAX_TOKENS
        assert ours.encode(text)[-1] == ours.encode("")[-1]


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_odd_texts_have_the_librarys_ids(ours, library, text):
    assert ours.encode(text) == theirs(library, text)


def test_every_language_has_the_librarys_ids(ours, library):
    for sentences in SENTENCES.values():
        for text in (*sentences, " ".join(sentences), "".join(sentences).upper()):
            assert ours.encode(text) == theirs(library, text), text


def test_every_assigned_character_has_the_librarys_ids(ours, library):
    """By blocks of 32, between letters; without halves, and those that a newer Unicode may give a meaning."""
    codes = [code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) not in {"Cn", "Cs", "Co"}]
    texts = [" ".join(f"a{chr(code)}b" for code in codes[start : start + 32]) for start in range(0, len(codes), 32)]
    for text, encoding in zip(texts, library.encode_batch(texts), strict=True):
        assert ours.encode(text) == encoding.ids, text


@given(st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=60))
def test_any_text_has_the_librarys_ids(ours, library, text):
    assert ours.encode(text) == theirs(library, text)


def test_letters_at_random_have_the_librarys_ids(ours, library):
    chance = random.Random(5)
    letters = "abcdefghijklmnopqrstuvwxyzABCXYZ0189+/=-'’. \n"
    for length in range(1, 240):
        text = "".join(chance.choices(letters, k=length))
        assert ours.encode(text) == theirs(library, text), text


def test_a_count_is_neither_cut_nor_are_special_tokens_in_it(ours, library, passages):
    library.no_truncation()
    try:
        for text in (*passages[:20], "", "word " * 1000, "[SEP]"):
            assert ours.count(text) == len(library.encode(text, add_special_tokens=False).ids)
    finally:
        library.enable_truncation(MAX_TOKENS)


def test_halves_of_characters_are_no_error(ours):
    assert ours.encode("a \ud800 b")[0] == ours.encode("")[0]


def other_file(**changes: object) -> bytes:
    file = msgspec.json.decode((bundled_embedder().folder / TOKENIZER).read_bytes())
    for key, value in changes.items():
        file[key] = {**file[key], **value} if isinstance(value, dict) else value
    return msgspec.json.encode(file)


@pytest.mark.parametrize(
    "changes",
    [
        {"normalizer": {"lowercase": False}},
        {"normalizer": {"lowercase": False, "strip_accents": True}},
        {"normalizer": {"strip_accents": False}},
        {"normalizer": {"handle_chinese_chars": False}},
        {"model": {"max_input_chars_per_word": 12}},
    ],
)
def test_other_settings_of_a_wordpiece_have_the_librarys_ids_too(passages, changes):
    tokenizers = pytest.importorskip("tokenizers")
    content = other_file(**changes)
    ours = load_tokenizer(content, max_tokens=MAX_TOKENS)
    assert isinstance(ours, WordPieceTokenizer)
    other = tokenizers.Tokenizer.from_str(content.decode())
    other.no_padding()
    other.enable_truncation(MAX_TOKENS)
    for text in (*passages[:10], *ODD):
        assert ours.encode(text) == other.encode(text).ids, text


@pytest.mark.parametrize("change", [{"pre_tokenizer": {"type": "WhitespaceSplit"}}, {"normalizer": None}])
def test_a_tokenizer_that_is_no_wordpiece_is_left_to_the_library(tmp_path, change):
    folder = write_embedder_folder(tmp_path)
    file = msgspec.json.decode((folder / TOKENIZER).read_bytes()) | change
    tokenizer = load_tokenizer(msgspec.json.encode(file), max_tokens=8)
    assert not isinstance(tokenizer, WordPieceTokenizer)
    assert len(tokenizer.encode("the tide and the moon and the water and the day")) == 8
    assert tokenizer.count("the tide and the moon and the water and the day") == 11


def test_a_wordpiece_that_cleans_nothing_away_is_left_to_the_library():
    tokenizer = load_tokenizer(other_file(normalizer={"clean_text": False}), max_tokens=8)
    assert not isinstance(tokenizer, WordPieceTokenizer)


def test_without_the_library_it_is_said_which_extra_brings_it(tmp_path, monkeypatch):
    folder = write_embedder_folder(tmp_path)
    file = msgspec.json.decode((folder / TOKENIZER).read_bytes())
    file["pre_tokenizer"] = {"type": "WhitespaceSplit"}
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(MissingExtraError, match="`embed`"):
        load_tokenizer(msgspec.json.encode(file), max_tokens=8)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff"])
def test_what_is_no_json_is_refused(content):
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        load_tokenizer(content, max_tokens=8)
