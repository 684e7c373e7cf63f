"""Find the `[n]` marks of an answer, and the sentences that they stand for."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Iterator

from satchel.runtime.session.events import Cited, Source

_MARK = re.compile(r"\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]")
_SENTENCE_END = re.compile(r"[.!?…](?=\s|\[)|\n")


def find_citations(answer: str, sources: Iterable[Source]) -> Iterator[Cited]:
    """Yield a citation for each number that names a source; the span is the sentence that the mark closes."""
    by_number = {source.n: source for source in sources}
    ends = [found.end() for found in _SENTENCE_END.finditer(answer)]
    for mark in _MARK.finditer(answer):
        start = _sentence_start(answer, mark.start(), ends)
        for number in re.findall(r"\d+", mark.group(1)):
            if (source := by_number.get(int(number))) is not None:
                yield Cited(start, mark.end(), source)


def cited_in_order(cited: Iterable[Cited]) -> list[Source]:
    """Return the sources that were cited, each once, the most cited first and then the first cited."""
    counts: dict[int, int] = {}
    first: dict[int, Source] = {}
    for entry in cited:
        counts[entry.source.n] = counts.get(entry.source.n, 0) + 1
        first.setdefault(entry.source.n, entry.source)
    return sorted(first.values(), key=lambda source: -counts[source.n])


def _sentence_start(answer: str, position: int, ends: list[int]) -> int:
    """Return where the sentence before a mark begins; in "It floods at noon. [1]" that is the one before the stop."""
    head = answer[:position].rstrip()
    while head.endswith("]") and (earlier := head.rfind("[")) >= 0 and _MARK.fullmatch(head, earlier):
        head = head[:earlier].rstrip()
    body = head.rstrip(".!?…")
    before = bisect.bisect_right(ends, len(body))
    start = ends[before - 1] if before else 0
    while start < len(body) and (body[start].isspace() or _MARK.match(body, start)):
        found = _MARK.match(body, start)
        start = found.end() if found else start + 1
    return start
