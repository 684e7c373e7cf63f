"""The keyword index: integer counts in compressed sparse columns, weighted only when a question comes.

The variant is Lucene's (BM25 as of Lucene 8, without the constant factor k1 + 1):

    score(q, p) = sum over terms t of  q_t * idf(t) * c / (c + k1 * (1 - b + b * len(p) / mean length))
    idf(t) = ln(1 + (n - df + 0.5) / (df + 0.5))

so a passage's score stays below the sum of q_t * idf(t), which makes their ratio comparable across questions.
Source: Kamphuis et al., "Which BM25 Do You Mean?" (ECIR 2020).
"""

from __future__ import annotations

import bisect
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from satchel.kernels.arrays import Postings

MAX_COUNT = 65_535


@dataclass(frozen=True, slots=True)
class KeywordIndex:
    """Terms and their postings as DESIGN 4 stores them. Any array may be a read-only map."""

    terms: NDArray[np.uint8]
    """Stemmed terms in UTF-8, sorted by bytes, one after another."""
    term_starts: NDArray[np.uint32]
    """[t + 1]: where each term begins in `terms`."""
    postings: Postings

    def find(self, term: str) -> int | None:
        """Return a term's number; a binary search, so that no dictionary has to be built at opening."""
        wanted = term.encode()
        number = bisect.bisect_left(range(len(self.term_starts) - 1), wanted, key=self._term)
        found = number < len(self.term_starts) - 1 and self._term(number) == wanted
        return number if found else None

    def _term(self, number: int) -> bytes:
        return self.terms[self.term_starts[number] : self.term_starts[number + 1]].tobytes()


@dataclass(frozen=True, slots=True)
class Bm25Settings:
    """How fast repeats stop counting (`k1`), and how much long passages are marked down (`b`).

    In passages of 200 tokens a word that comes again says little: on the SQuAD train split k1 = 0.4 gives nDCG@10 .870,
    the usual 1.2 gives .867, and more of a difference after fusion (.906, .899).
    """

    k1: float = 0.4
    b: float = 0.75


@dataclass(frozen=True, slots=True)
class QueryTerm:
    """One term of a question; `weight` (q_t * idf) is the most that it can add to a score."""

    text: str
    number: int | None
    """Its number in the index; None for a term that no passage holds."""
    passages: int
    """How many passages hold it."""
    repeats: int
    """How often it stands in the question."""
    weight: float


def build_keyword_index(passages: Iterable[Sequence[str]]) -> KeywordIndex:
    """Count the terms of each passage; the same passages give the same bytes, whatever the hash seed."""
    numbers: dict[str, int] = {}
    terms_of_postings: list[int] = []
    counts: list[int] = []
    distinct: list[int] = []
    lengths: list[int] = []
    for terms in passages:
        counted = Counter(terms)
        terms_of_postings += [numbers.setdefault(term, len(numbers)) for term in counted]
        counts += counted.values()
        distinct.append(len(counted))
        lengths.append(len(terms))
    encoded = [term.encode() for term in numbers]
    order = sorted(range(len(encoded)), key=encoded.__getitem__)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    columns = rank[np.asarray(terms_of_postings, np.int64)]
    rows = np.repeat(np.arange(len(lengths), dtype=np.uint32), distinct)
    # Rows rise already, so a stable sort by column leaves them rising within each term.
    by_term = np.argsort(columns, kind="stable")
    return KeywordIndex(
        terms=np.frombuffer(b"".join(encoded[number] for number in order), np.uint8),
        term_starts=_starts([len(encoded[number]) for number in order]).astype(np.uint32),
        postings=Postings(
            offsets=_starts(np.bincount(columns, minlength=len(order))),
            passages=rows[by_term],
            counts=np.minimum(np.asarray(counts, np.int64)[by_term], MAX_COUNT).astype(np.uint16),
            lengths=np.asarray(lengths, np.uint32),
        ),
    )


def weigh_terms(index: KeywordIndex, terms: Mapping[str, int], least_passages: int = 0) -> tuple[QueryTerm, ...]:
    """Give a question's terms (with how often each stands in it) their weights in nats, never below 0, heaviest first.

    A body of fewer than `least_passages` is taken to have so many, the further ones without any of the terms.
    """
    offsets, total = index.postings.offsets, max(least_passages, len(index.postings.lengths))
    weighed = []
    for text, repeats in terms.items():
        number = index.find(text)
        held = 0 if number is None else int(offsets[number + 1] - offsets[number])
        idf = math.log1p((total - held + 0.5) / (held + 0.5))
        weighed.append(QueryTerm(text, number, held, repeats, repeats * idf))
    return tuple(sorted(weighed, key=lambda term: (-term.weight, term.text)))


def score_rows(
    index: KeywordIndex, query: Sequence[QueryTerm], rows: NDArray[np.int64], settings: Bm25Settings
) -> NDArray[np.float32]:
    """Return the score of each of the passages `rows`, float32 [len(rows)]: 0 up to the sum of the terms' weights."""
    postings = index.postings
    scores = np.zeros(len(rows), np.float64)
    penalty = settings.k1 * (1 - settings.b + settings.b * postings.lengths[rows] / max(postings.average_length, 1e-9))
    for term in query:
        if term.number is None:
            continue
        start, end = int(postings.offsets[term.number]), int(postings.offsets[term.number + 1])
        holders = postings.passages[start:end]
        at = np.minimum(np.searchsorted(holders, rows), len(holders) - 1)
        counts = np.where(holders[at] == rows, postings.counts[start:end][at], 0).astype(np.float64)
        scores += term.weight * counts / (counts + penalty)
    return scores.astype(np.float32)


def _starts(sizes: Sequence[int] | NDArray[np.int64]) -> NDArray[np.uint64]:
    starts = np.zeros(len(sizes) + 1, np.uint64)
    np.cumsum(np.asarray(sizes, np.uint64), out=starts[1:])
    return starts
