"""A question as the keyword index sees it: weighed terms, and pairs of words that should stand together."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from satchel.runtime.knowledge.analyser import Analyser
from satchel.runtime.knowledge.bm25 import KeywordIndex, QueryTerm, weigh_terms

Pair = tuple[str, str]

_JUDGED_AS_OF = 1000
"""Passages: about as many as the gate was calibrated on."""


@dataclass(frozen=True, slots=True)
class KeywordQuestion:
    """A question analysed in one language, for the passages in that language."""

    terms: tuple[QueryTerm, ...]
    """Heaviest first."""
    pairs: Mapping[Pair, float]
    """Neighbouring terms, function words left out, and the sum of the two weights."""
    weight: float
    """What a passage that held every term without end would score."""
    judged: KeywordQuestion | None = None
    """The same weighed as in a body of 1,000 passages, for the gate, where there are fewer: in a few pages no word is
    rare or common, and the question's unknown words would weigh the most."""

    def pair_share(self, there: set[Pair]) -> float:
        """Return the share of the pairs, by weight, that are among a passage's; 0 to 1."""
        held = sum(weight for pair, weight in self.pairs.items() if pair in there)
        # Each term is in two pairs, hence twice the weight; in more where the question repeats it.
        return min(1.0, held / max(2 * self.weight, 1e-9))


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
        asked = self._weigh(line, 0)
        if len(self._index.postings.lengths) >= _JUDGED_AS_OF:
            return asked
        return dataclasses.replace(asked, judged=self._weigh(line, _JUDGED_AS_OF))

    def _weigh(self, line: Sequence[str], least_passages: int) -> KeywordQuestion:
        terms = weigh_terms(self._index, Counter(line), least_passages)
        weights = {term.text: term.weight for term in terms}
        pairs = {(first, second): weights[first] + weights[second] for first, second in pairwise(line)}
        return KeywordQuestion(terms, pairs, sum(weights.values()))
