"""Sentences with exact character ranges, for passages that end at them and for quotes.

Rules rather than a model: the offsets are exact, and 2 MB of text take about half a second.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import regex

from satchel.runtime.knowledge.abbreviations import (
    BEFORE_NAMES_OR_NUMBERS,
    MAY_END_A_SENTENCE,
    MONTHS,
    NEVER_LAST,
    SENTENCE_OPENERS,
)
from satchel.runtime.knowledge.documents import Heading


class SentenceKind(enum.Enum):
    """What a unit of text is; only prose and items are quoted."""

    PROSE = "prose"
    ITEM = "item"
    """A list's item, its marker not in the range; a table's row."""
    HEADING = "heading"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A unit's character range, white space at its ends left out; end exclusive."""

    start: int
    end: int
    kind: SentenceKind


# A row of a table as extraction writes it ("id: T-003; tool: Lathe; status: ok"), or as Markdown does.
_ROW = regex.compile(r"[^:;\n]{1,60}: [^;\n]*(?:; [^:;\n]{1,60}: [^;\n]*)+|\s*\|[^\n]+\|\s*")
_BLANK_LINES = regex.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")
_LINE = regex.compile(r"[^\n]+")
_MARKER = regex.compile(r"[^\S\n]*(?:[-*+•‣▪◦●–—]|\(?(?:\d{1,3}|[a-z])[.)])[^\S\n]+(?=\S)")  # noqa: RUF001 - real bullets
_TERMINATOR = regex.compile(r"[.!?…]+(?:[\"'”’»)\]]|\s»(?=\s))*(?=\s)|[。！？｡؟۔।]+[\"'”’」』）\]]*")  # noqa: RUF001 - real punctuation
_LAST_WORD = regex.compile(r"(?r)[\p{L}\p{N}.’'-]+")  # noqa: RUF001 - a real apostrophe
_NEXT_WORD = regex.compile(r"\s*[\"'“‘«(\[]*([\p{L}\p{N}’'-]+)?")  # noqa: RUF001 - real quotes
_ACRONYM = regex.compile(r"(?:\p{L}\.)+\p{L}")
_ROMAN = regex.compile(r"[IVX]{2,}")
_SHORT_LINE = 0.6
_SENTENCE_END = frozenset(".!?…:。！？｡؟۔।")  # noqa: RUF001 - real punctuation


def split_sentences(text: str, headings: Sequence[Heading] = ()) -> list[Sentence]:
    """Cut a file's text into sentences, list items and headings; only white space and list markers lie between.

    Ranges are characters of `text`, rise, and do not overlap.
    """
    found: list[Sentence] = []
    position = 0
    for heading in headings:
        if heading.start < position:
            continue
        found.extend(_blocks(text, position, heading.start))
        found.extend(_trimmed(text, heading.start, heading.end, SentenceKind.HEADING))
        position = heading.end
    found.extend(_blocks(text, position, len(text)))
    return found


def _blocks(text: str, start: int, end: int) -> Iterator[Sentence]:
    """Cut at blank lines, then each block at its list items and at lines that stand alone."""
    position = start
    for blank in _BLANK_LINES.finditer(text, start, end):
        yield from _lines(text, position, blank.start())
        position = blank.end()
    yield from _lines(text, position, end)


def _lines(text: str, start: int, end: int) -> Iterator[Sentence]:
    """Join the lines that one paragraph was wrapped into (PDF, plain text), part those that stand alone."""
    lines = [match.span() for match in _LINE.finditer(text, start, end)]
    if not lines:
        return
    width = max(stop - begin for begin, stop in lines)
    run_start, kind, after_row = lines[0][0], SentenceKind.PROSE, False
    for number, (begin, stop) in enumerate(lines):
        marker = _MARKER.match(text, begin, stop)
        is_row = _ROW.fullmatch(text, begin, stop) is not None
        if number and (marker or is_row or after_row or _stands_alone(text, lines[number - 1], begin, width)):
            if not after_row:
                yield from _prose(text, run_start, lines[number - 1][1], kind)
            run_start, kind = begin, SentenceKind.PROSE
        after_row = is_row
        if is_row:  # a record is one thing, whatever punctuation stands in it
            yield from _trimmed(text, begin, stop, SentenceKind.ITEM)
            continue
        if marker and run_start == begin:
            run_start, kind = marker.end(), SentenceKind.ITEM
    if not after_row:
        yield from _prose(text, run_start, lines[-1][1], kind)


def _stands_alone(text: str, line: tuple[int, int], following: int, width: int) -> bool:
    """Whether a line ends by its own will: it is clearly shorter than the paragraph and the next one starts anew."""
    begin, end = line
    opener = text[following : following + 40].lstrip()[:1]
    return end - begin < _SHORT_LINE * width and not (opener.islower() or text[begin:end].rstrip()[-1:] in {",", "-"})


def _prose(text: str, start: int, end: int, kind: SentenceKind) -> Iterator[Sentence]:
    position = start
    for match in _TERMINATOR.finditer(text, start, end):
        if match.end() < end and _is_border(text, position, match.start(), match.end(), end):
            yield from _trimmed(text, position, match.end(), kind)
            position = match.end()
    yield from _trimmed(text, position, end, kind)


def _is_border(text: str, start: int, mark: int, after: int, end: int) -> bool:
    """Whether the punctuation at `mark` ends the sentence that began at `start`."""
    if text[mark] in "。！？｡؟۔।":  # noqa: RUF001 - real punctuation
        return True
    following = _NEXT_WORD.match(text, after, end)
    word = following[1] if following else None
    if word and word[0].islower():
        return False
    if text[mark] != "." or text[mark : mark + 2] == "..":
        return True
    last = _LAST_WORD.search(text, start, mark)
    if last is None or last.end() != mark:
        return True
    return not _is_abbreviation(last[0], word, begins=last.start() == start)


def _is_abbreviation(last: str, following: str | None, *, begins: bool) -> bool:
    """Whether the full stop after `last` belongs to it, so that the sentence goes on with `following`."""
    bare = last.rstrip(".").casefold()
    opens = following in SENTENCE_OPENERS
    goes_on = following is not None and not opens
    if bare in NEVER_LAST:
        return True
    if bare in BEFORE_NAMES_OR_NUMBERS:
        return following is None or not opens
    if bare in MAY_END_A_SENTENCE:
        return goes_on and not (following or "").istitle()
    if bare.isdigit() and len(bare) <= 2:  # noqa: PLR2004 - a list's number, or a German ordinal: "3. Oktober"
        return begins or (following or "").casefold() in MONTHS
    if len(bare) == 1 and bare.isalpha():
        return not opens and last != "I"
    return (goes_on and bool(_ACRONYM.fullmatch(last))) or (begins and bool(_ROMAN.fullmatch(last)))


def _trimmed(text: str, start: int, end: int, kind: SentenceKind) -> Iterator[Sentence]:
    piece = text[start:end]
    body = piece.strip()
    if body:
        begin = start + len(piece) - len(piece.lstrip())
        yield Sentence(begin, begin + len(body), kind)
