"""Answers by quoting: the exact words of a passage that answer, in their sentence, with their place.

Two look at the passages that the gate let through: the sentence scorer picks a whole sentence, the trained Reader
marks exact words, where it speaks the files' language. The likelier of the two speaks; a date, a number or a name is
answered by the Reader's words alone, a reason or an explanation by the whole sentence. Nothing else is ever said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from satchel.runtime.knowledge.answers import Quotation
from satchel.runtime.knowledge.cues import Asked, has_cue, what_is_asked
from satchel.runtime.knowledge.reader.reader import ReaderResult, ReadSpan
from satchel.runtime.knowledge.search import Hit, SearchResult
from satchel.runtime.knowledge.sentences import SentenceKind, split_sentences

_READERS_LANGUAGE = "en"
_LINK = "://"
_EXACT = frozenset({Asked.DATE, Asked.NUMBER, Asked.NAME})
_SENTENCE_ENDS = '.!"”’)»。！؟।'  # noqa: RUF001 - real punctuation


@dataclass(frozen=True, slots=True)
class QuoteSettings:
    """When something is quoted, and how much of it; chosen by `tests/bench/quoting.py --tune`. All are 0 to 1."""

    most: int = 3
    """Quotations; those after the first are further sources."""
    least_chance: float = 0.35
    """That some passage answers, for anything to be quoted."""
    further_share: float = 0.5
    """A further passage is quoted beside the best when it is at least this likely, measured by the best's chance."""
    span_favour: float = 0.15
    """The chance that exact words are right is lower than that of the sentence round them; this levels them."""
    sure: float = 0.5
    """From this chance on, the Reader's words alone are the answer, even where the scorer prefers another sentence."""
    agreed: float = 0.3
    """The same where the words stand in the scorer's own sentence."""


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
        chance = 1.0 - min(scored.no_answer_probability, marked.no_answer_probability)
        # Neither was measured in another language: there, a sentence that shares the question's words is shown.
        if english and chance < self._settings.least_chance:
            return ()
        spans = dict(zip(english, marked.spans, strict=True))
        candidates = [
            candidate
            for number, text in enumerate(texts)
            for candidate in self._candidates(number, text, found.question, scored.spans[number], spans.get(number))
        ]
        return tuple(_quotation(hits[candidate.hit][0], candidate) for candidate in _best(candidates, self._settings))

    def _read(
        self, question: str, texts: Sequence[str], relevance: Sequence[float], numbers: Sequence[int]
    ) -> ReaderResult:
        if self._reader is None or not numbers:
            return ReaderResult((ReadSpan(0, 0, 0.0),) * len(numbers), None, 1.0)
        return self._reader.read(question, [texts[n] for n in numbers], [relevance[n] for n in numbers])

    def _candidates(
        self, number: int, text: str, question: str, sentence: ReadSpan, span: ReadSpan | None
    ) -> Iterator[_Candidate]:
        """Yield what may be quoted of one passage: the scorer's sentence, and the sentence round the Reader's words."""
        asked = what_is_asked(question)
        exact = asked in _EXACT
        marked = span is not None and span.end > span.start
        if _is_quotable(text, sentence):
            agreed = exact and marked and span is not None and sentence.start <= span.start < span.end <= sentence.end
            agreed = agreed and span is not None and span.score >= self._settings.agreed
            answer = span if agreed and span is not None and has_cue(_words(text, span), asked, question) else sentence
            yield _Candidate(number, sentence, answer, sentence.score)
        if marked and span is not None:
            around = _around(text, span)
            if around is None or (exact and not has_cue(_words(text, around), asked, question)):
                return
            sure = exact and span.score >= self._settings.sure and has_cue(_words(text, span), asked, question)
            yield _Candidate(number, around, span if sure else around, span.score + self._settings.span_favour * exact)


def _may_answer(hit: Hit) -> bool:
    return hit.relevance is not None or hit.passage.bm25 > 0


def _best(candidates: Sequence[_Candidate], settings: QuoteSettings) -> list[_Candidate]:
    """Return the likeliest, and what is not much less likely; each sentence once."""
    ordered = sorted(candidates, key=lambda candidate: -candidate.chance)
    kept: list[_Candidate] = []
    for candidate in ordered:
        far_behind = candidate.chance < settings.further_share * ordered[0].chance
        if not far_behind and not any(_overlap(candidate, other) for other in kept):
            kept.append(candidate)
    return kept[: settings.most]


def _quotation(hit: Hit, candidate: _Candidate) -> Quotation:
    passage, sentence = hit.passage, candidate.sentence
    # The sentence's own page: its passage may begin on an earlier one.
    page, label = passage.page_at(passage.start + sentence.start)
    return Quotation(
        file=passage.file,
        page=page,
        page_label=label,
        start=passage.start + sentence.start,
        end=passage.start + sentence.end,
        text=passage.text[sentence.start : sentence.end],
        answer_start=passage.start + candidate.answer.start,
        answer_end=passage.start + candidate.answer.end,
        score=min(1.0, candidate.chance),
    )


def _around(text: str, span: ReadSpan) -> ReadSpan | None:
    """Return the sentence, or the sentences, that a span stands in; None for a heading, a table's head or a link."""
    touched = [found for found in split_sentences(text) if found.start < span.end and span.start < found.end]
    if not touched:
        return span
    around = ReadSpan(min(touched[0].start, span.start), max(touched[-1].end, span.end), span.score)
    said = _words(text, around)
    no_prose = said.startswith("#") or (said.startswith("|") and not any(map(str.isdigit, said)))
    return None if no_prose or _LINK in said else around


def _is_quotable(text: str, sentence: ReadSpan) -> bool:
    """Tell a sentence that ends as one, or a table's row, from headings, links and fragments."""
    if sentence.end <= sentence.start or _LINK in _words(text, sentence):
        return False
    if text[sentence.end - 1] in _SENTENCE_ENDS:
        return True
    found = (one for one in split_sentences(text) if one.start == sentence.start)
    return any(one.kind is SentenceKind.ITEM for one in found)


def _words(text: str, span: ReadSpan) -> str:
    return text[span.start : span.end]


def _overlap(one: _Candidate, other: _Candidate) -> bool:
    return one.hit == other.hit and one.sentence.start < other.sentence.end and other.sentence.start < one.sentence.end
