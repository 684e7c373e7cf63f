"""Cut a file's text into passages: whole sentences, borders at headings, a size in the embedder's tokens.

The cut is the cheapest one over the whole file (dynamic programming over its sentences): filling one passage after the
other would leave tails of a few words.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import regex

from satchel.runtime.knowledge.documents import ExtractedText, PassageSpan
from satchel.runtime.knowledge.embedder import EmbedderFingerprint
from satchel.runtime.knowledge.sentences import SentenceKind, split_sentences
from satchel.runtime.packfile.limits import PASSAGE_CHARACTERS

TokenCounter = Callable[[Sequence[str]], Sequence[int]]
"""Tokens of each text, special ones not counted: an embedder's `count_tokens_many`."""

SPECIAL_TOKENS = 2

# What a passage costs beside the square of its empty share.
_ENDS_INSIDE_PARAGRAPH = 0.4
_PARAGRAPH_INSIDE = 0.4
_PAGE_INSIDE = 0.05
_HEADING_INSIDE = 0.5
_ENDS_WITH_HEADING = 4.0

_CHARACTERS_A_TOKEN = 24
"""No text of words comes near: English has 4.5 to a token of WordPiece, tables with wide columns up to 10."""

_MOST_MARKS = 32
_WHITE_SPACE = regex.compile(r"\s+")
_COMBINING = regex.compile(r"[\p{M}\u200d]")
_PARAGRAPH_BREAK = regex.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class PassageSettings:
    """How long passages are, in the embedder's tokens, and how much of the one before each repeats."""

    tokens: int = 200
    overlap: int = 0

    def within(self, embedder: EmbedderFingerprint, count_tokens: TokenCounter) -> PassageSettings:
        """Shorten to what the embedder reads of a text, so that nothing of a passage is cut off unseen."""
        (prefix,) = count_tokens([embedder.passage_prefix]) if embedder.passage_prefix else (0,)
        tokens = max(1, min(self.tokens, embedder.max_tokens - SPECIAL_TOKENS - prefix))
        return PassageSettings(tokens, min(self.overlap, tokens // 2))


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is never cut: a sentence, a heading, or the piece of a sentence that alone is too long."""

    start: int
    end: int
    tokens: int
    is_heading: bool
    ends_paragraph: bool


def split(extracted: ExtractedText, settings: PassageSettings, count_tokens: TokenCounter) -> list[PassageSpan]:
    """Return a file's passages in order; all its text but white space lies in one, and none is above `settings.tokens`.

    The settings are already `within` the embedder's window. A passage of few tokens and many characters is cut as well:
    to a tokeniser, a megabyte without a space is one unknown word.
    """
    if not extracted.text.strip():
        return []
    count_tokens = _with_characters(count_tokens, settings.tokens)
    units = _units(extracted, settings.tokens, count_tokens)
    borders = _cheapest_borders(units, extracted.page_starts, settings.tokens - settings.overlap)
    spans = [
        (units[_overlap_start(units, first, settings)].start, units[end - 1].end) for first, end in pairwise(borders)
    ]
    # Counts of sentences add up to the passage's for WordPiece; other tokenisers get this second look.
    passages: list[PassageSpan] = []
    for start, end, _ in _fitting(extracted.text, spans, settings.tokens, count_tokens):
        # A piece that is nothing but overlap stands in the passage before already.
        if not passages or end > passages[-1].end:
            passages.append(PassageSpan(start, end))
    return passages


def _with_characters(count_tokens: TokenCounter, tokens: int) -> TokenCounter:
    """Return a counter that takes a text for `tokens` tokens when it has as many characters as a passage may have."""
    most = min(_CHARACTERS_A_TOKEN * tokens, PASSAGE_CHARACTERS)

    def count(texts: Sequence[str]) -> Sequence[int]:
        return [
            max(found, -(-len(text) * tokens // most)) for text, found in zip(texts, count_tokens(texts), strict=True)
        ]

    return count


def _units(extracted: ExtractedText, tokens: int, count_tokens: TokenCounter) -> list[_Unit]:
    """Tile the text with units of at most `tokens` tokens; list markers belong to their items."""
    text = extracted.text
    spans: list[tuple[int, int]] = []
    headings: set[int] = set()
    position = 0
    for sentence in split_sentences(text, extracted.headings):
        gap = text[position : sentence.start]
        start = position + len(gap) - len(gap.lstrip())
        spans.append((start, sentence.end))
        if sentence.kind is SentenceKind.HEADING:
            headings.add(start)
        position = sentence.end
    pieces = _fitting(text, spans, tokens, count_tokens)
    following = [start for start, _, _ in pieces[1:]] + [len(text)]
    return [
        _Unit(start, end, count, start in headings, _PARAGRAPH_BREAK.search(text, end, after) is not None)
        for (start, end, count), after in zip(pieces, following, strict=True)
    ]


def _fitting(
    text: str, spans: Sequence[tuple[int, int]], tokens: int, count_tokens: TokenCounter
) -> list[tuple[int, int, int]]:
    """Return the spans with their token counts; those above `tokens` are cut at spaces until they fit."""
    counts = count_tokens([text[start:end] for start, end in spans])
    fitting: list[tuple[int, int, int]] = []
    for (start, end), count in zip(spans, counts, strict=True):
        if count <= tokens or end - start <= 1:
            fitting.append((start, end, count))
        else:
            parts = -(-count // tokens)
            fitting += _fitting(text, _cut(text, start, end, max(2, parts)), tokens, count_tokens)
    return fitting


def _cut(text: str, start: int, end: int, parts: int) -> list[tuple[int, int]]:
    """Cut a span into about equal parts, at white space where there is some near, never before a combining mark."""
    reach = max(1, (end - start) // (4 * parts))
    cuts = [start]
    for number in range(1, parts):
        middle = start + (end - start) * number // parts
        spaces = _WHITE_SPACE.finditer(text, max(cuts[-1] + 1, middle - reach), min(end - 1, middle + reach))
        nearest = min((space.end() for space in spaces), key=lambda at: abs(at - middle), default=None)
        cut = _before_marks(text, middle, cuts[-1] + 1) if nearest is None else nearest
        if cuts[-1] < cut < end:
            cuts.append(cut)
    cuts.append(end)
    return [
        (begin + len(piece) - len(piece.lstrip()), begin + len(piece.rstrip()))
        for begin, stop in pairwise(cuts)
        if (piece := text[begin:stop]).strip()
    ]


def _before_marks(text: str, at: int, least: int) -> int:
    """Return the nearest place up to `at` where no combining mark begins; `at` itself amid more than any word has."""
    for place in range(at, max(least, at - _MOST_MARKS) - 1, -1):
        if not _COMBINING.match(text, place):
            return place
    return at


def _cheapest_borders(units: Sequence[_Unit], page_starts: Sequence[int], tokens: int) -> list[int]:
    """Return the unit numbers where passages begin, and `len(units)` at the end; cores hold at most `tokens` tokens."""
    total = list(accumulate((unit.tokens for unit in units), initial=0))
    pages = [bisect.bisect_right(page_starts, unit.start) for unit in units]
    cost, best_first = [0.0] + [float("inf")] * len(units), [0] * (len(units) + 1)
    for end in range(1, len(units) + 1):
        last = units[end - 1]
        fixed = (_ENDS_WITH_HEADING if last.is_heading else 0.0) + (
            0.0 if last.ends_paragraph else _ENDS_INSIDE_PARAGRAPH
        )
        inside = 0.0
        for first in range(end - 1, -1, -1):
            size = total[end] - total[first]
            if size > tokens and first < end - 1:
                break
            crossed = _PAGE_INSIDE if pages[first] != pages[end - 1] else 0.0
            this = cost[first] + (1 - size / tokens) ** 2 + fixed + inside + crossed
            if this < cost[end]:
                cost[end], best_first[end] = this, first
            # From here on this unit is inside; a heading right below another one goes with it.
            if units[first].is_heading and first and not units[first - 1].is_heading:
                inside += _HEADING_INSIDE
            elif first and units[first - 1].ends_paragraph and not units[first - 1].is_heading:
                inside += _PARAGRAPH_INSIDE
    borders = [len(units)]
    while borders[-1] > 0:
        borders.append(best_first[borders[-1]])
    return borders[::-1]


def _overlap_start(units: Sequence[_Unit], first: int, settings: PassageSettings) -> int:
    """Return the first unit of the passage with its overlap: whole sentences of the same section before it."""
    start, room = first, settings.overlap
    while start and not units[start].is_heading and units[start - 1].tokens <= room:
        start -= 1
        room -= units[start].tokens
    return start
