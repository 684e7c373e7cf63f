"""Characters that no text of ours holds, whatever the format it came from."""

from __future__ import annotations

import re

_LINE_ENDS = re.compile(r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]")

# Controls, byte-order marks and noncharacters say nothing to a reader. The tag characters U+E0000..E007F are invisible
# everywhere and a known channel for instructions that a model reads and a person does not (a few flag emoji lose their
# region by it).
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufdd0-\ufdef\ufeff\ufffe\uffff\U000e0000-\U000e007f]")
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")
_SPACES = re.compile(r"\s+")


def clean(text: str) -> str:
    """Return `text` with line feeds as line ends and without control characters; lone surrogates become U+FFFD."""
    if text.isprintable():  # nearly every paragraph: none of what follows is printable
        return text
    text = _LINE_ENDS.sub("\n", text)
    text = _UNWANTED.sub("", text)
    return _LONE_SURROGATES.sub("\ufffd", text)


def one_line(text: str) -> str:
    """Return `text` cleaned, with every run of white space as one space and none at the ends."""
    return _SPACES.sub(" ", clean(text)).strip()
