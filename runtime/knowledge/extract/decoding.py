"""Bytes of a text file to its text, whatever encoding it was saved in; wrong bytes never crash."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from satchel.runtime.knowledge.errors import TooLargeError
from satchel.runtime.knowledge.extract.cleaning import clean
from satchel.runtime.knowledge.extract.legacy_encodings import guess_encoding
from satchel.runtime.knowledge.extract.limits import MAX_TEXT_BYTES, in_mib

# Longest first: the mark of UTF-32 begins with the one of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_JUDGED_CHARACTERS = 1 << 17
_SNIFF_BYTES = 8192
# The escape that changes to Japanese characters; all its bytes are ASCII otherwise.
_ISO_2022_JP = b"\x1b$"
# A file in UTF-8 with a few broken characters (cut, pasted from elsewhere) is still UTF-8: no legacy encoding gives
# valid multi-byte sequences by the dozen.
_BROKEN_PER_GOOD = 0.1
# Python has codecs that are no encodings of text (rot13, unicode_escape); these are.
_LEGACY_NAME = re.compile(r"(?:cp|windows|iso-?8859|latin|koi8|mac|gb|big5|shift|sjis|euc|tis|hz)")
# WHATWG Encoding Standard: what is declared as the left one is nearly always the right one, which holds more.
_WIDER = {
    "iso-8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252", "iso-8859-9": "cp1254", "gb2312": "gb18030",
    "gbk": "gb18030", "shift-jis": "cp932", "sjis": "cp932", "euc-kr": "cp949", "tis-620": "cp874",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DecodedText:
    """A text file's cleaned text and what there is to say about its encoding."""

    text: str
    encoding: str
    notes: tuple[str, ...] = ()


def decode_text(content: bytes, *, file: str, declared: str | None = None) -> DecodedText:
    """Return the text of `content`; `declared` is the encoding that the file itself names, tried after UTF-8.

    Raises:
        TooLargeError: the text is longer than `MAX_TEXT_BYTES`.
    """
    decoded = _decode(content, declared)
    text = clean(decoded.text)
    if len(text) > MAX_TEXT_BYTES or (not text.isascii() and len(text.encode()) > MAX_TEXT_BYTES):
        raise TooLargeError(file=file, reason=f"its text is longer than {in_mib(MAX_TEXT_BYTES)}")
    return DecodedText(text, decoded.encoding, decoded.notes)


def looks_like_text(head: bytes) -> bool:
    """Tell text in any encoding from other bytes, by the first `head` of them."""
    head = head[:_SNIFF_BYTES]
    if any(head.startswith(mark) for mark, _ in _MARKS):
        return True
    if b"\0" in head:
        return _utf16_without_mark(head) is not None
    controls = sum(head.count(byte) for byte in (*range(7), *range(14, 27), *range(28, 32)))
    return controls * 50 <= len(head)


def _decode(content: bytes, declared: str | None) -> DecodedText:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _with_replacements(content[len(mark) :], encoding)
    return _with_replacements(content, _encoding_without_mark(content, declared))


def _encoding_without_mark(content: bytes, declared: str | None) -> str:
    head = content[:_SNIFF_BYTES]
    if _ISO_2022_JP in head:
        return "iso2022_jp"
    if wide := _utf16_without_mark(head):
        return wide
    text = content.decode(errors="replace")[:_JUDGED_CHARACTERS]
    good = sum(1 for character in text if character > "\x7f" and character != "\ufffd")
    # A file whose first part has no character beyond ASCII may have them later; then its last word is this one.
    if text.count("\ufffd") <= good * _BROKEN_PER_GOOD and (good or _is_utf8(content)):
        return "utf-8"
    return (_trusted(declared) if declared else None) or guess_encoding(content)


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _with_replacements(content: bytes, encoding: str) -> DecodedText:
    try:
        return DecodedText(content.decode(encoding), encoding)
    except UnicodeDecodeError:
        text = content.decode(encoding, errors="replace")
        broken = text.count("\ufffd")
        return DecodedText(
            text, encoding, (f"{broken} broken characters (read as {encoding.upper()}) stand as \ufffd",)
        )


def _utf16_without_mark(head: bytes) -> str | None:
    """Western text in UTF-16 has a zero in every second byte, and hardly any in the other ones."""
    pairs = len(head) // 2
    if pairs == 0:
        return None
    even, odd = head[0 : 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    if odd > pairs * 0.6 and even < pairs * 0.05:
        return "utf-16-le"
    if even > pairs * 0.6 and odd < pairs * 0.05:
        return "utf-16-be"
    return None


def _trusted(declared: str) -> str | None:
    """Return Python's name for an encoding that a file declares, as browsers understand it; None for what is none."""
    name = declared.lower().replace("_", "-")
    if not _LEGACY_NAME.match(name):
        return None
    try:
        return _WIDER.get(name) or codecs.lookup(name).name
    except LookupError:
        return None
