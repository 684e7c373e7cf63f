"""The page that a citation names: where the cited words stand, when the passage runs over several pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from satchel.runtime.knowledge.answers import FoundPassage
from satchel.runtime.session.events import Cited


def pinpoint(cited: Cited, answer: str, passages: Sequence[FoundPassage]) -> Cited:
    """Return a citation whose source is the part of its passage on one page, where the passage runs over several.

    `passages` are those that the sources' numbers count from 1. The page is the one of the sentence that shares the
    most words with the cited part of `answer`, rare ones counting more; when none shares any, the passage stays whole.
    """
    passage = passages[cited.source.n - 1]
    if not passage.further_pages:
        return cited
    # Loaded for these few passages alone: they are no part of an answer's first word.
    from satchel.runtime.knowledge.analyser import Analyser
    from satchel.runtime.knowledge.sentences import split_sentences

    analyser = Analyser("")
    sentences = split_sentences(passage.text)
    words = [set(analyser.terms(passage.text[one.start : one.end])) for one in sentences]
    holders = Counter(word for held in words for word in held)
    said = set(analyser.terms(answer[cited.start : cited.end]))
    shared = [sum(1 / holders[word] for word in held & said) for held in words]
    if not any(shared):
        return cited
    pages = [passage.page_at(passage.start + one.start) for one in sentences]
    page, label = pages[shared.index(max(shared))]
    there = [one for one, (number, _) in zip(sentences, pages, strict=True) if number == page]
    start, end = there[0].start, there[-1].end
    source = msgspec.structs.replace(
        cited.source,
        page=page,
        page_label=label,
        start=passage.start + start,
        end=passage.start + end,
        text=passage.text[start:end],
        from_picture=page in passage.picture_pages,
    )
    return msgspec.structs.replace(cited, source=source)
