"""Hybrid search over a body of knowledge, and the gate behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from satchel.runtime.knowledge.analyser import NAME, VERSION
from satchel.runtime.knowledge.answers import FoundPassage, KnowledgeWarning
from satchel.runtime.knowledge.gate import Gate, Judgement
from satchel.runtime.knowledge.index import KnowledgeArrays
from satchel.runtime.knowledge.language_names import language_name
from satchel.runtime.knowledge.question import KeywordQuestion, QuestionAnalyser
from satchel.runtime.knowledge.ranking import Ranking, RankingSettings, rank

EmbedQuery = Callable[[str], NDArray[np.float32]]
"""A question to its unit vector, by the embedder that made the passages' vectors."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that a question found."""

    row: int
    file_number: int
    passage: FoundPassage
    relevance: float | None
    """The gate's estimate; None where it gives no verdict."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The hits, and everything that quoting and `why` need to go on from them."""

    question: str
    questions: Mapping[str, KeywordQuestion]
    """The question as analysed, by language."""
    hits: tuple[Hit, ...]
    """Those of the k best that passed the gate, best first."""
    below_gate: int
    """How many of the k best did not."""
    k: int
    ranking: Ranking
    judgement: Judgement
    searched: frozenset[int]
    """Numbers of the files that were searched."""
    warnings: tuple[KnowledgeWarning, ...]


class Searcher:
    """Searches one body of knowledge; belongs to one thread."""

    def __init__(
        self,
        arrays: KnowledgeArrays,
        embed_query: EmbedQuery | None,
        *,
        gate: Gate,
        settings: RankingSettings | None = None,
    ) -> None:
        """Without `embed_query` keywords alone are searched; whoever leaves it out knows why and says so."""
        self.arrays = arrays
        self.analyser = QuestionAnalyser(arrays.keywords, (file.language for file in arrays.files))
        self._embed_query = embed_query if arrays.vectors is not None else None
        self._gate = gate
        self._settings = settings or RankingSettings()
        known = Counter(file.language for file in arrays.files if file.language)
        self._usual_language = known.most_common(1)[0][0] if known else ""

    def search(self, question: str, k: int, *, allowed_files: Iterable[int] | None = None) -> SearchResult:
        """Return those of the k best passages (k >= 0) that bear on a question.

        `allowed_files` are numbers of files, from 0; None means all.
        """
        numbers = range(len(self.arrays.files))
        searched = frozenset(numbers if allowed_files is None else allowed_files)
        questions = self.analyser.analyse(question)
        ranking = rank(
            self.arrays,
            self.analyser,
            questions,
            self._embed_query(question) if self._embed_query is not None and len(self.arrays.passages) else None,
            allowed=None if allowed_files is None else self._rows_of(searched),
            settings=self._settings,
        )
        judgement = self._gate.judge(
            ranking, [self.language(number) for number in self.arrays.passages[ranking.rows, 0]]
        )
        hits = self.hits(ranking, judgement, k)
        return SearchResult(
            question=question,
            questions=questions,
            hits=hits,
            below_gate=min(k, len(ranking.rows)) - len(hits),
            k=k,
            ranking=ranking,
            judgement=judgement,
            searched=searched,
            warnings=tuple(self._warnings(hits)),
        )

    def language(self, file_number: int) -> str:
        """Return a file's language; one that was not recognised (a table, a few words) counts as most others' is."""
        return self.arrays.files[file_number].language or self._usual_language

    def hits(self, ranking: Ranking, judgement: Judgement, k: int) -> tuple[Hit, ...]:
        """Return those of the k best candidates of a ranking that passed the gate, best first."""
        best = range(min(k, len(ranking.rows)))
        return tuple(self._hit(ranking, judgement, at) for at in best if judgement.passes[at])

    def passage(self, ranking: Ranking, at: int) -> FoundPassage:
        """Return the candidate at a place of the ranking with its text and page."""
        row = int(ranking.rows[at])
        file, first_byte, _, start, end = self.arrays.passages[row].tolist()
        place = self.arrays.place(file, first_byte)
        further = self.arrays.further_pages(row)
        pages = dict.fromkeys((place.page, *(one.page for one in further)))
        return FoundPassage(
            file=self.arrays.files[file].name,
            page=place.page,
            page_label=place.label,
            start=start,
            end=end,
            text=self.arrays.passage_text(row),
            score=float(ranking.score[at]),
            bm25=float(ranking.bm25[at]),
            vector=None if ranking.vector is None else float(ranking.vector[at]),
            further_pages=further,
            picture_pages=tuple(page for page in pages if page and self.arrays.is_from_picture(file, page)),
        )

    def _hit(self, ranking: Ranking, judgement: Judgement, at: int) -> Hit:
        row = int(ranking.rows[at])
        relevance = float(judgement.relevance[at])
        return Hit(
            row=row,
            file_number=int(self.arrays.passages[row, 0]),
            passage=self.passage(ranking, at),
            relevance=None if np.isnan(relevance) else relevance,
        )

    def _rows_of(self, files: Iterable[int]) -> NDArray[np.bool_]:
        allowed = np.zeros(len(self.arrays.passages), np.bool_)
        for number in files:
            rows = self.arrays.rows_of_file(number)
            allowed[rows.start : rows.stop] = True
        return allowed

    def _warnings(self, hits: Iterable[Hit]) -> Iterable[KnowledgeWarning]:
        made_by = self.arrays.analyser
        if (made_by.name, made_by.version) != (NAME, VERSION):
            by = f"{made_by.name} {made_by.version}"
            yield KnowledgeWarning("other-analyser", f"Some words may not be found: their index was made by {by}.")
        unjudged = {hit.file_number for hit in hits if hit.relevance is None and self._gate.is_on}
        if unjudged:
            files = sorted(f"{self.arrays.files[n].name} ({language_name(self.language(n))})" for n in unjudged)
            text = f"Whether these files bear on the question was not checked: {', '.join(files)}."
            yield KnowledgeWarning("not-checked", text)
