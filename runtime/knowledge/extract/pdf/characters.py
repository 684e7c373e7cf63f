"""What PDF fonts do to characters, undone: ligatures, accents set beside their letters, composed forms."""

# ruff: noqa: RUF001 - the accents of TeX

from __future__ import annotations

import re
import unicodedata

_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
_LIGATURE = re.compile("[ﬀ-ﬆ]")
# TeX's old fonts have no accented letters: the accent is a character of its own before its letter, a cedilla after it.
_COMBINING = {"¨": "\u0308", "´": "\u0301", "ˆ": "\u0302", "˜": "\u0303", "ˇ": "\u030c", "˚": "\u030a", "˘": "\u0306"}
_ACCENT_BEFORE = re.compile(r"([¨´ˆ˜ˇ˚˘])\s?([A-Za-zı])")
_CEDILLA_AFTER = re.compile(r"([cCsStT])¸")


def repair(text: str) -> str:
    """Return the text with whole letters, in NFC."""
    if text.isascii():
        return text
    text = _LIGATURE.sub(lambda match: _LIGATURES[match[0]], text)
    text = _ACCENT_BEFORE.sub(_composed, text)
    text = _CEDILLA_AFTER.sub(lambda match: unicodedata.normalize("NFC", f"{match[1]}\u0327"), text)
    return unicodedata.normalize("NFC", text)


def _composed(match: re.Match[str]) -> str:
    letter = "i" if match[2] == "ı" else match[2]
    whole = unicodedata.normalize("NFC", letter + _COMBINING[match[1]])
    return whole if len(whole) == 1 else match[0]
