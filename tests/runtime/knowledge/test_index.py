"""The arrays as they lie in a pack, and what is read out of them."""

from __future__ import annotations

import numpy as np
from helpers.bodies import MADE_BY, body, document, known_file

from satchel.runtime.knowledge.answers import PageStart
from satchel.runtime.knowledge.building import IndexedDocument
from satchel.runtime.knowledge.documents import ExtractedText, PassageSpan
from satchel.runtime.knowledge.index import KnowledgeArrays, Place
from satchel.runtime.packfile import names

GERMAN = "Größe 😀 der Flut.\n\nZweite Seite: 潮汐."
ENGLISH = "The gate closes.\n\nIt opens."


def test_what_is_written_is_read_back_the_same():
    arrays = body(
        document("a.pdf", GERMAN, "de", page_starts=(0, 19), page_labels=("i", "ii")),
        document("b.md", ENGLISH),
        vectors=np.eye(4),
    )
    entries = dict(arrays.entries())

    back = KnowledgeArrays.from_entries(
        {name: array for name, array in entries.items() if isinstance(array, np.ndarray)},
        entries[names.FILES],
        entries[names.PAGE_LABELS],
        arrays.embedder,
        arrays.analyser,
    )

    assert (back.files, back.page_labels, back.embedder) == (arrays.files, {0: ("i", "ii")}, MADE_BY)
    for name, array in back.entries():
        assert bytes(array) == bytes(entries[name])


def test_a_place_is_the_page_that_holds_a_byte_with_its_printed_label():
    arrays = body(
        document("a.md", ENGLISH), document("b.pdf", GERMAN, page_starts=(0, 19, 19), page_labels=("i", "ii", "iii"))
    )
    first = arrays.files[0].bytes

    assert arrays.place(0, 5) == Place(None, "")
    assert arrays.place(1, first) == Place(1, "i")
    # A page without text begins where the next one does: the last of them holds the byte.
    assert arrays.place(1, first + len(GERMAN[:19].encode())) == Place(3, "iii")


def test_a_passage_knows_the_pages_that_begin_inside_it():
    text = "Größe 😀.\nZwei: 潮汐.\nEnde."
    starts = (0, 9, 19)
    extracted = ExtractedText("application/pdf", text, starts, ("i", "ii", "iii"))
    spans = [PassageSpan(0, 8), PassageSpan(2, len(text)), PassageSpan(9, 14)]
    arrays = body(document("a.md", ENGLISH), IndexedDocument(known_file("b.pdf"), extracted, spans))

    assert arrays.further_pages(0) == ()
    assert arrays.further_pages(2) == ()
    assert arrays.further_pages(3) == (PageStart(9, 2, "ii"), PageStart(19, 3, "iii"))
    assert arrays.further_pages(4) == ()
    assert {text[page.start] for page in arrays.further_pages(3)} == {"Z", "E"}
