"""From files and passages to the arrays of a pack, and what is read out of them."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
import pytest
from helpers.bodies import MADE_BY, body, document, known_file
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.knowledge.answers import PageStart
from satchel.runtime.knowledge.building import IndexedDocument, build_arrays, byte_offsets
from satchel.runtime.knowledge.documents import ExtractedText, PassageSpan
from satchel.runtime.knowledge.index import KnowledgeArrays, Place
from satchel.runtime.packfile import names

GERMAN = "Größe 😀 der Flut.\n\nZweite Seite: 潮汐."
ENGLISH = "The gate closes.\n\nIt opens."


def test_text_is_laid_end_to_end_and_passages_say_where_they_lie():
    arrays = body(document("a.md", GERMAN, "de"), document("b.md", ENGLISH))

    assert arrays.text.tobytes().decode() == GERMAN + ENGLISH
    assert arrays.passages[:, [0, 3, 4]].tolist() == [[0, 0, 17], [0, 19, 36], [1, 0, 16], [1, 18, 27]]
    assert [arrays.passage_text(row) for row in range(4)] == [
        "Größe 😀 der Flut.",
        "Zweite Seite: 潮汐.",
        "The gate closes.",
        "It opens.",
    ]
    assert [(file.bytes, file.characters) for file in arrays.files] == [
        (len(GERMAN.encode()), len(GERMAN)),
        (len(ENGLISH), len(ENGLISH)),
    ]
    assert (arrays.file_text(0), arrays.file_text(1)) == (GERMAN, ENGLISH)
    assert (list(arrays.rows_of_file(0)), list(arrays.rows_of_file(1))) == ([0, 1], [2, 3])


def test_each_file_is_analysed_in_its_own_language():
    arrays = body(document("a.md", "Gates", "en"), document("b.md", "Gates", "xx"))

    assert arrays.keywords.terms.tobytes() == b"gategates"
    assert arrays.analyser.languages == ("en", "xx")


def test_a_body_without_files_or_text_has_empty_arrays_of_the_same_kinds():
    empty, full = body(), body(document("a.md", ENGLISH, page_starts=(0,)))

    of_full = dict(full.entries())
    for name, array in empty.entries():
        if isinstance(array, np.ndarray):
            assert array.dtype == of_full[name].dtype
            assert array.shape[1:] == of_full[name].shape[1:]
    assert body(document("a.pdf", "", problem="it is encrypted")).files[0].problem == "it is encrypted"


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


def test_without_vectors_no_embedder_is_named():
    assert build_arrays([document("a.md", ENGLISH)], None, MADE_BY).embedder is None


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


@given(st.lists(st.text(alphabet="aé😀潮\n ", max_size=12), min_size=1, max_size=5), st.data())
def test_every_range_of_characters_comes_back_as_the_same_text(texts, data):
    documents = []
    for number, text in enumerate(texts):
        borders = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
        spans = [
            PassageSpan(start, end) for start, end in zip(borders[::2], borders[1::2], strict=False) if start < end
        ]
        documents.append(IndexedDocument(known_file(f"{number}.md"), ExtractedText("text/plain", text), spans))

    arrays = build_arrays(documents, None, None)

    expected = [text for one in documents for text in one.passage_texts()]
    assert [arrays.passage_text(row) for row in range(len(arrays.passages))] == expected
    for (file, _, _, start, end), text in zip(arrays.passages.tolist(), expected, strict=True):
        assert arrays.file_text(file)[start:end] == text


@given(st.text(alphabet="aé😀潮", max_size=20), st.data())
def test_byte_offsets_are_those_of_utf8(text, data):
    wanted = data.draw(st.lists(st.integers(0, len(text))))

    sizes = [0, *accumulate(len(letter.encode()) for letter in text)]
    assert byte_offsets(text, wanted) == {at: sizes[at] for at in wanted}


def test_the_same_files_give_the_same_bytes():
    first, second = (dict(body(document("a.md", GERMAN), document("b.md", ENGLISH)).entries()) for _ in range(2))

    assert {name: bytes(array) for name, array in first.items()} == {
        name: bytes(array) for name, array in second.items()
    }


@pytest.mark.parametrize("row", [0, 1])
def test_vectors_are_rows_of_the_passages_in_order(row):
    arrays = body(document("a.md", ENGLISH), vectors=[[1, 0, 0, 0], [0, 0, 1, 0]])

    assert arrays.vectors is not None
    assert np.argmax(arrays.vectors.high[row]) == (0, 2)[row]
