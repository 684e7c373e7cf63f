"""What every `ExtractedText` keeps to; checked where it comes from a process that a hostile file may hold."""

from __future__ import annotations

import re
from itertools import pairwise

from satchel.runtime.knowledge.documents import ExtractedText
from satchel.runtime.knowledge.extract.limits import MAX_PAGES, MAX_TEXT_BYTES

_FORBIDDEN = re.compile("[\0\r\ud800-\udfff]")
_HIGHEST_LEVEL = 9


def find_fault(extracted: ExtractedText) -> str:  # noqa: PLR0911 - one rule, one return
    """Return what is wrong with a result, or "" when nothing is."""
    length = len(extracted.text)
    if length > MAX_TEXT_BYTES:
        return "the text is too long"
    if _FORBIDDEN.search(extracted.text) or any(map(_FORBIDDEN.search, extracted.page_labels)):
        return "a character stands in the text that never should"
    if len(extracted.page_starts) > MAX_PAGES or any(a >= b for a, b in pairwise((-1, *extracted.page_starts))):
        return "page starts do not rise"
    if extracted.page_starts and (extracted.page_starts[0] != 0 or extracted.page_starts[-1] > length):
        return "a page starts outside the text"
    if extracted.page_labels and len(extracted.page_labels) != len(extracted.page_starts):
        return "labels and pages are not as many"
    pages = len(extracted.page_starts)
    if any(not 1 <= page <= pages for page in extracted.from_pictures):
        return "a page that was read from a picture is none of its pages"
    end = 0
    for heading in extracted.headings:
        if not end <= heading.start < heading.end <= length or not 1 <= heading.level <= _HIGHEST_LEVEL:
            return "a heading lies outside the text or in another one"
        end = heading.end
    return ""
