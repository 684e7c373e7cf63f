"""Answers by quoting: the exact words of a passage that answer, in their sentence, with their place.

Two look at the passages that the gate let through: the sentence scorer picks a whole sentence, the trained Reader
marks exact words, where it speaks the files' language. The likelier of the two speaks; a date, a number or a name is
answered by the Reader's words alone, a reason or an explanation by the whole sentence. Nothing else is ever said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from satchel.runtime.knowledge.answers import Quotation
from satchel.runtime.knowledge.cues import Asked, what_is_asked
from satchel.runtime.knowledge.reader.reader import ReaderResult, ReadSpan
from satchel.runtime.knowledge.search import Hit, SearchResult
from satchel.runtime.knowledge.sentences import split_sentences

_MOST_QUOTATIONS = 3
_LEAST_CHANCE = 0.35
"""That some passage answers, for anything to be quoted."""
_FURTHER_SHARE = 0.5
"""A further passage is quoted beside the best when it is at least this likely, measured by the best's chance."""
_SPAN_FAVOUR = 0.15
"""The chance that exact words are right is lower than that of the sentence round them; this makes them comparable."""
_EXACT = frozenset({Asked.DATE, Asked.NUMBER, Asked.NAME})
_SENTENCE_ENDS = '.!"”’)»。！؟।'  # noqa: RUF001 - real punctuation


class PassageReader(Protocol):
    """What picks words out of passages: the trained Reader, or the sentence scorer."""

    def read(self, question: str, passages: Sequence[str], relevance: Sequence[float] | None = None) -> ReaderResult:
        """Return the best span of each passage, the best of all, and how likely it is that none answers."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """The words of one passage that may answer; characters of the passage."""

    hit: int
    sentence: ReadSpan
    answer: ReadSpan
    chance: float


class Quoter:
    """Quotes from the passages of a search. Belongs to one thread."""

    def __init__(self, scorer: PassageReader, reader: PassageReader | None) -> None:
        """`scorer` picks whole sentences; without `reader` nothing marks exact words."""
        self._scorer = scorer
        self._reader = reader

    def quote(self, found: SearchResult) -> tuple[Quotation, ...]:
        """Return the quotations that answer, best first; none when no passage is likely to."""
        if not found.hits:
            return ()
        texts = [hit.passage.text for hit in found.hits]
        relevance = [hit.passage.score for hit in found.hits]
        exact = what_is_asked(found.question) in _EXACT
        scored = self._scorer.read(found.question, texts, relevance)
        marked = self._reader.read(found.question, texts, relevance) if self._reader is not None else None
        chance = 1.0 - min(result.no_answer_probability for result in (scored, marked or scored))
        if chance < _LEAST_CHANCE:
            return ()
        candidates = _candidates(texts, scored, marked, exact=exact)
        return tuple(_quotation(found.hits[candidate.hit], candidate) for candidate in _best(candidates))


def _candidates(
    texts: Sequence[str], scored: ReaderResult, marked: ReaderResult | None, *, exact: bool
) -> list[_Candidate]:
    found = []
    for number, text in enumerate(texts):
        span = marked.spans[number] if marked is not None else None
        sentence = scored.spans[number]
        if sentence.end > sentence.start and text[sentence.end - 1] in _SENTENCE_ENDS:
            inside = span is not None and sentence.start <= span.start < span.end <= sentence.end
            answer = span if exact and inside and span is not None else sentence
            found.append(_Candidate(number, sentence, answer, sentence.score))
        if span is not None and span.end > span.start:
            around = _around(text, span)
            found.append(_Candidate(number, around, span if exact else around, span.score + _SPAN_FAVOUR * exact))
    return found


def _best(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Return the likeliest, and what is not much less likely; each sentence once."""
    ordered = sorted(candidates, key=lambda candidate: -candidate.chance)
    kept: list[_Candidate] = []
    for candidate in ordered:
        far_behind = candidate.chance < _FURTHER_SHARE * ordered[0].chance
        if not far_behind and not any(_overlap(candidate, other) for other in kept):
            kept.append(candidate)
    return kept[:_MOST_QUOTATIONS]


def _quotation(hit: Hit, candidate: _Candidate) -> Quotation:
    passage, sentence = hit.passage, candidate.sentence
    return Quotation(
        file=passage.file,
        page=passage.page,
        page_label=passage.page_label,
        start=passage.start + sentence.start,
        end=passage.start + sentence.end,
        text=passage.text[sentence.start : sentence.end],
        answer_start=passage.start + candidate.answer.start,
        answer_end=passage.start + candidate.answer.end,
        score=min(1.0, candidate.chance),
    )


def _around(text: str, span: ReadSpan) -> ReadSpan:
    """Return the sentence, or the sentences, that a span stands in."""
    touched = [found for found in split_sentences(text) if found.start < span.end and span.start < found.end]
    if not touched:
        return span
    return ReadSpan(min(touched[0].start, span.start), max(touched[-1].end, span.end), span.score)


def _overlap(one: _Candidate, other: _Candidate) -> bool:
    return one.hit == other.hit and one.sentence.start < other.sentence.end and other.sentence.start < one.sentence.end
