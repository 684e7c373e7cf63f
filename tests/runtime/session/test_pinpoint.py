"""Which page a citation names when its passage runs over several."""

from __future__ import annotations

import msgspec
import pytest

from satchel.runtime.knowledge.answers import FoundPassage, PageStart
from satchel.runtime.session.events import Cited
from satchel.runtime.session.pinpoint import pinpoint
from satchel.runtime.session.quoting import passages_as_sources

PAGES = (
    "Ropes lie in the shed. Boats need two fenders and a rope.\n",
    "Diesel is sold at the eastern pier. Smoking there\n",
    "is forbidden. In an emergency call channel 12.",
)
TEXT = "".join(PAGES)
AT = 100
FUEL = "Diesel is sold at the eastern pier. Smoking there\nis forbidden."
SPREAD = FoundPassage(
    file="handbook.pdf",
    page=4,
    page_label="iv",
    start=AT,
    end=AT + len(TEXT),
    text=TEXT,
    score=0.9,
    bm25=1.0,
    vector=0.5,
    further_pages=(
        PageStart(AT + len(PAGES[0]), 5, "v"),
        PageStart(AT + len(PAGES[0]) + len(PAGES[1]), 6, "vi"),
    ),
)
WHOLE = msgspec.structs.replace(SPREAD, further_pages=())


def cited(answer: str, passage: FoundPassage = SPREAD) -> Cited:
    (source,) = passages_as_sources([passage])
    return pinpoint(Cited(0, len(answer), source), answer, [passage])


@pytest.mark.parametrize(
    ("answer", "page", "label", "text"),
    [
        ("Every boat needs two fenders [1].", 4, "iv", "Ropes lie in the shed. Boats need two fenders and a rope."),
        ("You buy diesel at the eastern pier [1].", 5, "v", FUEL),
        ("Smoking is forbidden [1].", 5, "v", FUEL),
        ("Call channel 12 [1].", 6, "vi", "In an emergency call channel 12."),
    ],
)
def test_the_page_is_the_one_where_the_cited_sentence_begins(answer, page, label, text):
    source = cited(answer).source

    assert (source.n, source.page, source.page_label, source.text) == (1, page, label, text)
    assert TEXT[source.start - AT : source.end - AT] == text


def test_only_the_cited_part_of_the_answer_counts():
    answer = "Call channel 12 [1]. Diesel is sold at the pier."
    (source,) = passages_as_sources([SPREAD])

    assert pinpoint(Cited(0, 19, source), answer, [SPREAD]).source.page == 6
    assert pinpoint(Cited(21, len(answer), source), answer, [SPREAD]).source.page == 5


def test_rare_words_weigh_more_than_those_of_every_page():
    assert cited("It is in the channel [1].").source.page == 6


def test_an_answer_that_shares_no_word_is_cited_as_the_whole_passage():
    assert cited("Gasoil [1].").source == passages_as_sources([SPREAD])[0]


def test_a_passage_on_one_page_stays_whole():
    assert cited("Call channel 12 [1].", WHOLE).source == passages_as_sources([WHOLE])[0]
