"""From files and passages to the arrays of a pack."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
import pytest
from helpers.bodies import MADE_BY, body, document, known_file
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.knowledge.building import IndexedDocument, build_arrays, byte_offsets
from satchel.runtime.knowledge.documents import ExtractedText, PassageSpan

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


def test_without_vectors_no_embedder_is_named():
    assert build_arrays([document("a.md", ENGLISH)], None, MADE_BY).embedder is None


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
