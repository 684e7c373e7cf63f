"""A question as the keyword index sees it: weighed terms, and pairs of words that should stand together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from satchel.runtime.knowledge.analyser import Analyser
from satchel.runtime.knowledge.bm25 import KeywordIndex, QueryTerm, weigh_terms

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class KeywordQuestion:
    """A question analysed in one language, for the passages in that language."""

    terms: tuple[QueryTerm, ...]
    """Heaviest first."""
    pairs: Mapping[Pair, float]
    """Neighbouring terms, function words left out, and the sum of the two weights."""
    weight: float
    """What a passage that held every term without end would score."""


class QuestionAnalyser:
    """Analyses questions and passages; keeps its stemmers, so it belongs to one thread."""

    def __init__(self, index: KeywordIndex, languages: Iterable[str]) -> None:
        """`languages` are those of the files."""
        self._index = index
        self._analysers = {language: Analyser(language) for language in sorted(set(languages))}

    def analyse(self, question: str) -> dict[str, KeywordQuestion]:
        """Analyse a question once for each language that the files are in."""
        return {language: self._analyse(question, analyser) for language, analyser in self._analysers.items()}

    def content_terms(self, text: str, language: str) -> list[str]:
        """Return a text's terms without its function words, so that they pair up as the question's do."""
        return self._analysers[language].content_terms(text)

    def _analyse(self, question: str, analyser: Analyser) -> KeywordQuestion:
        line = analyser.query_terms(question)
        terms = weigh_terms(self._index, Counter(line))
        weights = {term.text: term.weight for term in terms}
        pairs = {(first, second): weights[first] + weights[second] for first, second in pairwise(line)}
        return KeywordQuestion(terms, pairs, sum(weights.values()))
