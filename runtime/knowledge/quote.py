"""Answers by quoting: the exact words of a passage that answer, in their sentence, with their place.

Two look at the passages that the gate let through: the sentence scorer picks a whole sentence of each, the trained
Reader marks exact words, where it speaks the files' language. A sentence's chance is the mean of what both think of it,
so that one on which they agree comes first. A date, a number or a name is answered by the Reader's words alone, a
reason or an explanation by the whole sentence. Nothing else is ever said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import regex

from satchel.runtime.knowledge.answers import Quotation
from satchel.runtime.knowledge.cues import EXACT, Asked, Expected, expected_answer
from satchel.runtime.knowledge.reader.reader import ReaderResult, ReadSpan
from satchel.runtime.knowledge.search import Hit, SearchResult
from satchel.runtime.knowledge.sentences import Sentence
from satchel.runtime.knowledge.statements import statements

_READERS_LANGUAGE = "en"
_MOST_EXACT_WORDS = 10
_DATE_PARTS = regex.compile(r"\w+")
_NOBODY = ReadSpan(0, 0, 0.0)


@dataclass(frozen=True, slots=True)
class QuoteSettings:
    """When something is quoted, and how much of it; chosen by `tests/bench/quoting.py --tune`. All are 0 to 1."""

    most: int = 3
    """Quotations; those after the first are further sources."""
    least_chance: float = 0.35
    """For anything to be quoted: the mean of the chance that some passage answers, and the best sentence's own."""
    further_share: float = 0.5
    """A further passage is quoted beside the best when it is at least this likely, measured by the best's chance."""
    readers_share: float = 0.65
    """What the Reader's word weighs in a chance; the rest is the scorer's."""
    without_cue: float = 0.5
    """A sentence without a thing of the kind asked for comes after others as if its chance were so many times as high;
    where a date, a number or a name is asked for, it is."""
    sure: float = 0.3
    """From this chance on, the Reader's exact words alone are the answer."""


class PassageReader(Protocol):
    """What picks words out of passages: the trained Reader, or the sentence scorer."""

    def read(self, question: str, passages: Sequence[str], relevance: Sequence[float] | None = None) -> ReaderResult:
        """Return the best span of each passage, the best of all, and how likely it is that none answers.

        `relevance` is the search's score of each passage; it, and all chances, are 0 to 1.
        """


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A sentence that may answer, and the words of it that do; characters of the passage."""

    hit: Hit
    start: int
    end: int
    answer: tuple[int, int]
    chance: float
    """That it answers."""
    preference: float
    """The same, less where a thing of the kind asked for is missing: what decides between sentences."""


class Quoter:
    """Quotes from the passages of a search. Belongs to one thread."""

    def __init__(
        self, scorer: PassageReader, reader: PassageReader | None, settings: QuoteSettings | None = None
    ) -> None:
        """`scorer` picks whole sentences, in any language; `reader` marks exact words, in English only."""
        self._scorer = scorer
        self._reader = reader
        self._settings = settings or QuoteSettings()

    def quote(self, found: SearchResult, languages: Sequence[str]) -> tuple[Quotation, ...]:
        """Return the quotations that answer, best first; none when no passage is likely to.

        `languages` are those of the hits, one each: what is not English is left to the scorer.
        """
        # What no gate has judged must at least share a word with the question.
        hits = [(hit, language) for hit, language in zip(found.hits, languages, strict=True) if _may_answer(hit)]
        if not hits:
            return ()
        texts = [hit.passage.text for hit, _ in hits]
        relevance = [hit.passage.score for hit, _ in hits]
        scored = self._scorer.read(found.question, texts, relevance)
        english = [number for number, (_, language) in enumerate(hits) if language == _READERS_LANGUAGE]
        marked = self._read(found.question, texts, relevance, english)
        spans = dict(zip(english, marked.spans, strict=True)) if marked is not None else {}
        expected = expected_answer(found.question)
        candidates = [
            candidate
            for number, (hit, _) in enumerate(hits)
            for candidate in self._candidates(hit, expected, scored.spans[number], spans.get(number))
        ]
        best = self._best(candidates)
        if expected.kind is Asked.DATE:
            best = _fuller_date_first(best)
        # Neither was measured in another language: there, a sentence that shares the question's words is shown.
        if english and best:
            chance = (self._chance_of_any(scored, marked) + best[0].chance) / 2
            if chance < self._settings.least_chance:
                return ()
        return tuple(_quotation(candidate) for candidate in best)

    def _read(
        self, question: str, texts: Sequence[str], relevance: Sequence[float], numbers: Sequence[int]
    ) -> ReaderResult | None:
        if self._reader is None or not numbers:
            return None
        return self._reader.read(question, [texts[n] for n in numbers], [relevance[n] for n in numbers])

    def _chance_of_any(self, scored: ReaderResult, marked: ReaderResult | None) -> float:
        scorers = 1.0 - scored.no_answer_probability
        if marked is None:
            return scorers
        share = self._settings.readers_share
        return share * (1.0 - marked.no_answer_probability) + (1.0 - share) * scorers

    def _candidates(
        self, hit: Hit, expected: Expected, scored: ReadSpan, marked: ReadSpan | None
    ) -> Iterator[_Candidate]:
        """Yield what may be quoted of one passage: the scorer's sentence, and the one round the Reader's words.

        `marked` is None where the Reader did not read.
        """
        text = hit.passage.text
        stated = statements(text)
        found = (_round(stated, scored), _round(stated, marked or _NOBODY))
        for start, end in dict.fromkeys(one for one in found if one is not None):
            scorers = scored.score if start <= scored.start < end else 0.0
            readers = 0.0
            answer = (start, end)
            if marked is not None and start <= marked.start < marked.end <= end:
                readers = marked.score
                answer = self._answer(text, (start, end), marked, expected)
            share = self._settings.readers_share if marked is not None else 0.0
            chance = share * readers + (1.0 - share) * scorers
            lacking = expected.kind is not Asked.OTHER and not expected.is_in(text[start:end])
            preference = chance * self._settings.without_cue if lacking else chance
            yield _Candidate(hit, start, end, answer, preference if expected.kind in EXACT else chance, preference)

    def _answer(self, text: str, sentence: tuple[int, int], marked: ReadSpan, expected: Expected) -> tuple[int, int]:
        """Return the Reader's words, or the whole sentence where they are unsure, many, or no thing of the kind."""
        start, end = marked.start, marked.end
        if text[start:end].count("(") > text[start:end].count(")") and text[end : end + 1] == ")":
            end += 1
        said = text[start:end]
        is_exact = expected.kind in EXACT and marked.score >= self._settings.sure
        is_short = len(said.split()) <= _MOST_EXACT_WORDS
        return (start, end) if is_exact and is_short and expected.is_in(said) else sentence

    def _best(self, candidates: Sequence[_Candidate]) -> list[_Candidate]:
        """Return the likeliest, and what is not much less likely; each text once."""
        ordered = sorted(candidates, key=lambda candidate: -candidate.preference)
        kept: list[_Candidate] = []
        for candidate in ordered:
            if candidate.preference < self._settings.further_share * ordered[0].preference:
                break
            if not any(_same(candidate, other) for other in kept):
                kept.append(candidate)
        return kept[: self._settings.most]


def _may_answer(hit: Hit) -> bool:
    return hit.relevance is not None or hit.passage.bm25 > 0


def _round(stated: Sequence[Sentence], span: ReadSpan) -> tuple[int, int] | None:
    """Return the sentence, or the sentences, that a span stands in; None where nothing is stated there."""
    touched = [one for one in stated if one.start < span.end and span.start < one.end]
    if not touched:
        return None
    start, end = touched[0].start, touched[-1].end
    return (start, end) if start <= span.start and span.end <= end else None


def _same(one: _Candidate, other: _Candidate) -> bool:
    passage, others = one.hit.passage, other.hit.passage
    if passage.file == others.file and one.start + passage.start < other.end + others.start:
        return other.start + others.start < one.end + passage.start
    return passage.text[one.start : one.end] == others.text[other.start : other.end]


def _fuller_date_first(best: list[_Candidate]) -> list[_Candidate]:
    """Let "October 4, 1957" answer in the place of "1957"."""
    dates = [set(_DATE_PARTS.findall(one.hit.passage.text[slice(*one.answer)])) for one in best]
    exact = [one.answer != (one.start, one.end) for one in best]
    fuller = [number for number, parts in enumerate(dates) if exact[number] and exact[0] and parts > dates[0]]
    return [best[number] for number in fuller[:1]] + [one for at, one in enumerate(best) if at not in fuller[:1]]


def _quotation(candidate: _Candidate) -> Quotation:
    passage = candidate.hit.passage
    # The sentence's own page: its passage may begin on an earlier one.
    page, label = passage.page_at(passage.start + candidate.start)
    return Quotation(
        file=passage.file,
        page=page,
        page_label=label,
        start=passage.start + candidate.start,
        end=passage.start + candidate.end,
        text=passage.text[candidate.start : candidate.end],
        answer_start=passage.start + candidate.answer[0],
        answer_end=passage.start + candidate.answer[1],
        score=min(1.0, candidate.chance),
        from_picture=page in passage.picture_pages,
    )
