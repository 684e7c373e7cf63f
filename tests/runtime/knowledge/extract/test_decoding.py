from __future__ import annotations

import pytest
from helpers.languages import SENTENCES
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.knowledge.errors import TooLargeError
from satchel.runtime.knowledge.extract.decoding import decode_text, looks_like_text
from satchel.runtime.knowledge.extract.limits import MAX_TEXT_BYTES

LEGACY = {
    "fr": ("cp1252", "mac_roman"), "de": ("cp1252", "cp850"), "es": ("cp1252",), "sv": ("cp1252",),
    "pt": ("cp1252",), "pl": ("cp1250", "iso8859_2"), "cs": ("cp1250", "iso8859_2"), "hu": ("cp1250",),
    "tr": ("cp1254",),
    "ru": ("cp1251", "koi8_r", "cp866", "iso8859_5"), "uk": ("cp1251",), "el": ("cp1253",), "he": ("cp1255",),
    "ar": ("cp1256",), "ja": ("cp932", "euc_jp", "iso2022_jp"), "zh": ("gb18030",), "ko": ("cp949",),
}  # fmt: skip


@pytest.mark.parametrize(("language", "encoding"), [(lang, name) for lang, names in LEGACY.items() for name in names])
def test_an_old_encoding_is_found(language: str, encoding: str) -> None:
    text = "\n".join(SENTENCES[language])
    assert decode_text(text.encode(encoding), file="a.txt").text == text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_is_read_with_and_without_its_mark(encoding: str) -> None:
    text = "Größe: 5 µm, and more of it\n"
    content = text.encode(encoding)
    assert looks_like_text(content)
    assert decode_text(content, file="a.txt").text == text


def test_a_few_wrong_bytes_in_utf8_are_replaced_and_said_so() -> None:
    decoded = decode_text("Größe, Höhe, Länge, Übergröße, schön und größer; ".encode() * 3 + b"\xff.", file="a.txt")
    assert decoded.encoding == "utf-8"
    assert decoded.notes == ("1 broken characters (read as UTF-8) stand as \ufffd",)


def test_a_legacy_character_late_in_the_file_is_read() -> None:
    decoded = decode_text(
        b"plain English text. " * 20_000 + "Ein schönes Café für größere Gäste.".encode("cp1252"), file="a"
    )
    assert decoded.text.endswith("Café für größere Gäste.")


@given(st.binary(max_size=300))
def test_no_bytes_crash(content: bytes) -> None:
    decode_text(content, file="a.txt").text.encode()


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", bytes(range(256)), b"\0" * 500, b"\x01\x02\x03\x04" * 9]
)
def test_other_bytes_do_not_look_like_text(content: bytes) -> None:
    assert not looks_like_text(content)


def test_too_much_text_is_refused_with_the_limit() -> None:
    with pytest.raises(TooLargeError, match=r"big.txt is too large: its text is longer than 64 MiB"):
        decode_text(b"a" * (MAX_TEXT_BYTES + 1), file="big.txt")
