"""Why a file was used for a question, or not: its best passage, its rank, and what cut it off."""

from __future__ import annotations

import math

from satchel.runtime.knowledge.answers import FileExplanation
from satchel.runtime.knowledge.language_names import language_name
from satchel.runtime.knowledge.search import Searcher, SearchResult


def explain_files(searcher: Searcher, found: SearchResult) -> tuple[FileExplanation, ...]:
    """Return an explanation for every file, those used first and then by the rank of their best passage."""
    best_rank: dict[int, int] = {}
    for at, row in enumerate(found.ranking.rows.tolist()):
        best_rank.setdefault(int(searcher.arrays.passages[row, 0]), at)
    explained = [
        _explain(searcher, found, number, best_rank.get(number)) for number in range(len(searcher.arrays.files))
    ]
    return tuple(
        sorted(explained, key=lambda one: (not one.used, one.rank if one.rank is not None else math.inf, one.file))
    )


def _explain(searcher: Searcher, found: SearchResult, number: int, at: int | None) -> FileExplanation:
    file = searcher.arrays.files[number]
    used = any(hit.file_number == number for hit in found.hits)
    if number not in found.searched:
        return FileExplanation(file.name, file.language, used=False, reason="it was not searched", rank=None)
    if at is None:
        if file.problem and not file.bytes:
            reason = f"it could not be read: {file.problem}"
        elif not len(searcher.arrays.rows_of_file(number)):
            reason = "it has no text"
        else:
            reason = "no passage of it came near the question"
        return FileExplanation(file.name, file.language, used=False, reason=reason, rank=None)
    passage = searcher.passage(found.ranking, at)
    relevance = float(found.judgement.relevance[at])
    return FileExplanation(
        file=file.name,
        language=file.language,
        used=used,
        reason=_reason(found, at, used=used, language=file.language),
        rank=at + 1,
        page=passage.page,
        score=passage.score,
        bm25=passage.bm25,
        vector=passage.vector,
        relevance=None if math.isnan(relevance) else relevance,
        matched=_matched(searcher, found, passage.text, file.language),
        from_picture=bool(passage.picture_pages),
    )


def _reason(found: SearchResult, at: int, *, used: bool, language: str) -> str:
    relevance = float(found.judgement.relevance[at])
    judged = not math.isnan(relevance)
    if used:
        chance = f"judged {relevance:.0%} likely to bear on the question" if judged else "not checked"
        return f"used: its best passage is number {at + 1} of all, {chance}"
    if not found.judgement.passes[at]:
        return f"its best passage (number {at + 1}) does not bear on the question ({relevance:.0%})"
    suffix = "" if judged else f"; relevance was not checked: {language_name(language)}"
    return f"its best passage is number {at + 1}, and only {found.k} are used{suffix}"


def _matched(searcher: Searcher, found: SearchResult, text: str, language: str) -> tuple[str, ...]:
    question = found.questions.get(language)
    if question is None:
        return ()
    there = set(searcher.analyser.content_terms(text, language))
    return tuple(term.text for term in question.terms if term.text in there)
