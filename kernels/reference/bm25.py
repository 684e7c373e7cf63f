"""BM25 over integer postings, term after term.

The variant is Lucene's: idf = ln(1 + (n - df + 0.5) / (df + 0.5)), without the constant factor k1 + 1, which changes
no rank.
The native backends skip passages that cannot reach the top k (MaxScore); they sum a passage's terms in the
same order, so they give the same bytes as this full evaluation.
"""

from __future__ import annotations

import numpy as np

from satchel.kernels.arrays import Postings
from satchel.kernels.backend import Allowed, KeywordQuery, Ranking
from satchel.kernels.reference.selection import WORST, select_topk


def bm25_topk(postings: Postings, query: KeywordQuery, k: int, allowed: Allowed) -> Ranking:
    """Return scores and passages, [k]; a passage without any of the terms is not found."""
    scores = np.zeros(postings.lengths.shape[0], dtype=np.float32)
    for term in query.terms:
        passages = postings.passages[term.start : term.end]
        counts = postings.counts[term.start : term.end].astype(np.float32)
        lengths = postings.lengths[passages].astype(np.float32)
        scores[passages] += term.weight * (counts / (counts + (query.floor + query.slope * lengths)))
    return select_topk(np.where(scores > 0, scores, WORST), k, allowed)
