"""Does a passage say what a sentence says? By words for the matter, exactly for names, numbers and "not".

A language model's sentence is laid beside each sentence of its passages. Too few of its content words there: not found.
Enough of them, but a name or number is another one, or stands with the words of another one: contradicted.
English only; the caller gives no verdict in other languages.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from satchel.runtime.knowledge.reader.facts import FactKind, Stems, Word, fact_runs, is_pronoun, words_of
from satchel.runtime.knowledge.sentences import split_sentences

_ENOUGH = 0.55
"""Least share of the content words that one or two sentences must have (`tests/bench/reader_grounded.py`)."""
_LEAST_CONTENT = 2
"""Content words from which on a sentence without names and numbers is taken for a statement."""
_SPEAKER = frozenset({"i", "i'm", "i’m", "i'll", "i’ll", "i'd", "me", "my"})  # noqa: RUF001 - a real apostrophe
_INTERJECTIONS = frozenset(
    ["sure", "yes", "no", "okay", "ok", "certainly", "absolutely", "hello", "hi", "thanks", "sorry", "great", "indeed"]
)
_NEAR = 4
"""Content words to each side of a fact that tell which fact it is."""


class Verdict(enum.Enum):
    """What the passages say of a sentence."""

    SUPPORTED = "supported"
    NOT_FOUND = "not_found"
    CONTRADICTED = "contradicted"


@dataclass(frozen=True, slots=True)
class Grounding:
    """A verdict with its evidence: the passage's number and the character range in it; None where nothing is near."""

    verdict: Verdict
    passage: int | None
    start: int
    end: int
    differing: tuple[str, ...]
    """The names and numbers of the sentence that the evidence has not, or has elsewhere."""


class GroundednessCheck:
    """Checks sentences against passages; keeps its stemmer, so it belongs to one thread."""

    def __init__(self) -> None:
        self._stems = Stems()

    def states_something(self, sentence: str) -> bool:
        """Tell a statement about the matter from "Sure!", "Here you are" and "I hope that this helps you"."""
        words = words_of(sentence, self._stems)
        words = [word for word in words if sentence[word.start : word.end].lower() not in _INTERJECTIONS]
        if any(word.kind in {FactKind.NAME, FactKind.NUMBER} for word in words):
            return True
        if any(sentence[word.start : word.end].lower() in _SPEAKER for word in words):
            return False
        return sum(self._is_content(word) for word in words) >= _LEAST_CONTENT

    def check(self, sentence: str, passages: Sequence[str]) -> Grounding:
        """Compare an English sentence with the passages that it should come from."""
        claim = words_of(sentence, self._stems)
        wanted = {w.key for w in claim if self._is_content(w)}
        facts = [claim[a:b] for a, b in fact_runs(claim)]
        best: tuple[float, float, int, tuple[int, int], list[Word], list[Word]] | None = None
        for number, passage in enumerate(passages):
            for (start, end), evidence in self._evidence(passage):
                there = {w.key for w in evidence}
                covered = len(wanted & there) / max(1, len(wanted))
                named = sum(all(w.key in there for w in fact) for fact in facts) / max(1, len(facts))
                score = covered + 0.25 * named
                if best is None or score > best[0]:
                    before = [w for w in words_of(passage[:start], self._stems) if w.kind is FactKind.NAME]
                    best = (score, covered, number, (start, end), evidence, before)
        if best is None or not wanted | {w.key for f in facts for w in f}:
            return Grounding(Verdict.NOT_FOUND, None, 0, 0, ())
        _, covered, number, (start, end), evidence, before = best
        if covered < _ENOUGH:
            return Grounding(Verdict.NOT_FOUND, number, start, end, ())
        wrong = tuple(
            sentence[fact[0].start : fact[-1].end] for fact in facts if not self._holds(fact, claim, evidence, before)
        )
        if not wrong and _negated(claim) != _negated(evidence) and covered > 0.8:  # noqa: PLR2004 - nearly the same words
            wrong = ("not",)
        return Grounding(Verdict.CONTRADICTED if wrong else Verdict.SUPPORTED, number, start, end, wrong)

    def _evidence(self, passage: str) -> Iterator[tuple[tuple[int, int], list[Word]]]:
        """Yield each sentence, then each two that follow one another, with their words."""
        sentences = split_sentences(passage)
        for count in (1, 2):
            for at in range(len(sentences) - count + 1):
                start, end = sentences[at].start, sentences[at + count - 1].end
                yield (start, end), words_of(passage[start:end], self._stems)

    def _is_content(self, word: Word) -> bool:
        return word.kind is None and not self._stems.is_common(word.key) and len(word.key) > 1

    def _holds(
        self, fact: Sequence[Word], claim: Sequence[Word], evidence: Sequence[Word], before: Sequence[Word]
    ) -> bool:
        """Tell whether the evidence says this fact of the same things."""
        kind = fact[0].kind
        if kind is FactKind.NEGATION:
            return True
        keys = [w.key for w in fact]
        around = self._around(claim, claim.index(fact[0]), claim.index(fact[-1]))
        places = [at for at, w in enumerate(evidence) if w.key in keys]
        if not {evidence[at].key for at in places} >= set(keys):
            return self._named_before(fact, around, evidence, before)
        if max(_count(claim, key) - _count(evidence, key) for key in set(keys)) > 0:
            return False
        if kind is FactKind.NAME:  # "He moved in 1884" says it of whoever was named before
            earlier = min(places)
            places += [at for at, w in enumerate(evidence) if at > earlier and w.kind is None and is_pronoun(w.key)]
        own = max(len(around & self._around(evidence, at, at)) for at in places)
        for start, end in fact_runs(evidence):
            other = {w.key for w in evidence[start:end]}
            if evidence[start].kind is not kind or other & set(keys):
                continue
            theirs = self._around(evidence, start, end - 1)
            gain = len(around & theirs) - own
            # When the sentence has both, they must look better exchanged, both taken together.
            said = [self._around(claim, at, at) for at, w in enumerate(claim) if w.key in other]
            if said:
                mine = [self._around(evidence, at, at) for at in places]
                gain += max(len(a & b) for a in said for b in mine) - max(len(a & theirs) for a in said)
            if gain > 0:
                return False
        return True

    def _named_before(
        self, fact: Sequence[Word], around: set[str], evidence: Sequence[Word], before: Sequence[Word]
    ) -> bool:
        """Tell whether a pronoun of the evidence stands where the claim has a name that the passage gave earlier."""
        if fact[0].kind is not FactKind.NAME or not {w.key for w in fact} <= {w.key for w in before}:
            return False
        return any(
            is_pronoun(w.key) and len(around & self._around(evidence, at, at)) >= 2  # noqa: PLR2004 - one may be chance
            for at, w in enumerate(evidence)
        )

    def _around(self, words: Sequence[Word], first: int, last: int) -> set[str]:
        left = [w.key for w in words[:first] if self._is_content(w)][-_NEAR:]
        right = [w.key for w in words[last + 1 :] if self._is_content(w)][:_NEAR]
        beside = {f"<{w.key}" for w in words[max(0, first - 2) : first]} | {
            f">{w.key}" for w in words[last + 1 : last + 3]
        }
        return {*left, *right, *beside}


def _negated(words: Sequence[Word]) -> bool:
    return any(w.kind is FactKind.NEGATION for w in words)


def _count(words: Sequence[Word], key: str) -> int:
    return sum(w.key == key and w.kind is not None for w in words)
