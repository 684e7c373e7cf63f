"""Answers by quoting: the exact words of a passage that answer, in their sentence, with their place.

The trained Reader marks the words where it is bundled and speaks the passage's language; elsewhere the sentence scorer
picks a sentence. Both read the passages that the gate let through, and nothing else is ever said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from satchel.runtime.knowledge.answers import Quotation
from satchel.runtime.knowledge.reader.reader import ReaderResult, ReadSpan
from satchel.runtime.knowledge.search import Hit, SearchResult
from satchel.runtime.knowledge.sentences import Sentence, split_sentences

_MOST_QUOTATIONS = 3
_LEAST_SCORE_SHARE = 0.5
"""A further passage is quoted beside the best when its span is at least this likely, measured by the best's chance."""


class PassageReader(Protocol):
    """What picks words out of passages: the trained Reader, or the sentence scorer."""

    def read(self, question: str, passages: Sequence[str], relevance: Sequence[float] | None = None) -> ReaderResult:
        """Return the best span of each passage, the best of all, and how likely it is that none answers."""


def quote(found: SearchResult, reader: PassageReader, *, least_chance: float) -> tuple[Quotation, ...]:
    """Return the quotations that answer, best first; none when the Reader is sure that no passage does.

    `least_chance` is the estimated probability, 0 to 1, that some passage answers, below which nothing is quoted.
    """
    if not found.hits:
        return ()
    texts = [hit.passage.text for hit in found.hits]
    read = reader.read(found.question, texts, [hit.passage.score for hit in found.hits])
    if read.best is None or 1.0 - read.no_answer_probability < least_chance:
        return ()
    best = read.spans[read.best]
    order = sorted(range(len(texts)), key=lambda number: (number != read.best, -read.spans[number].score))
    quotations: list[Quotation] = []
    for number in order:
        span = read.spans[number]
        if span.end <= span.start or (number != read.best and span.score < _LEAST_SCORE_SHARE * best.score):
            continue
        quotation = _quotation(found.hits[number], span)
        if not any(_overlap(quotation, other) for other in quotations):
            quotations.append(quotation)
        if len(quotations) == _MOST_QUOTATIONS:
            break
    return tuple(quotations)


def _quotation(hit: Hit, span: ReadSpan) -> Quotation:
    passage = hit.passage
    sentence = _around(passage.text, span)
    return Quotation(
        file=passage.file,
        page=passage.page,
        page_label=passage.page_label,
        start=passage.start + sentence.start,
        end=passage.start + sentence.end,
        text=passage.text[sentence.start : sentence.end],
        answer_start=passage.start + span.start,
        answer_end=passage.start + span.end,
        score=span.score,
    )


def _around(text: str, span: ReadSpan) -> ReadSpan:
    """Return the sentence, or the sentences, that a span stands in."""
    touched: list[Sentence] = [s for s in split_sentences(text) if s.start < span.end and span.start < s.end]
    if not touched:
        return span
    start, end = min(touched[0].start, span.start), max(touched[-1].end, span.end)
    return ReadSpan(start, end, span.score)


def _overlap(one: Quotation, other: Quotation) -> bool:
    """Tell whether two quotations share text: passages may overlap, and the same sentence is quoted once."""
    return one.file == other.file and one.start < other.end and other.start < one.end
