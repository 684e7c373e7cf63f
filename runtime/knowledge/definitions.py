"""Which passages are read for "What is a supernova?": of many that speak of it, those that say what it is."""

from __future__ import annotations

import dataclasses

from satchel.runtime.knowledge.cues import Asked, expected_answer
from satchel.runtime.knowledge.search import Searcher, SearchResult
from satchel.runtime.knowledge.statements import statements

_LOOKED_THROUGH = 5
"""How many times the wanted number of passages are looked through."""


def with_definitions(searcher: Searcher, found: SearchResult) -> SearchResult:
    """Return the search with passages that define the thing asked for in the place of its last ones, as many as before.

    A search ranks by words and meaning, and every passage about a thing has both. Other questions keep what was found.
    """
    expected = expected_answer(found.question)
    if expected.kind is not Asked.DEFINITION or not found.hits:
        return found
    wide = searcher.hits(found.ranking, found.judgement, _LOOKED_THROUGH * found.k)
    defining = [
        hit
        for hit in wide
        if any(expected.is_in(hit.passage.text[one.start : one.end]) for one in statements(hit.passage.text))
    ]
    kept = {hit.row for hit in defining[: len(found.hits)]}
    for hit in found.hits:
        if len(kept) < len(found.hits):
            kept.add(hit.row)
    return dataclasses.replace(found, hits=tuple(hit for hit in wide if hit.row in kept))
