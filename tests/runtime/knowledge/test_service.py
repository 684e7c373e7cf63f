"""Pages of files whose text is not plain ASCII."""

from __future__ import annotations

import numpy as np
import pytest

from satchel.runtime.knowledge.building import IndexedDocument, build_arrays
from satchel.runtime.knowledge.documents import ExtractedText, PassageSpan
from satchel.runtime.knowledge.index import KnowledgeArrays
from satchel.runtime.knowledge.service import page_text
from satchel.runtime.packfile.schema_v1 import KnowledgeFile

PAGES = ("Größe 😀.\n", "Zweite Seite: Flut.\n", "", "Ende — fin.")
BEFORE = "Ein Wort: Überfahrt.\n"


def known(name: str) -> KnowledgeFile:
    return KnowledgeFile(
        name=name,
        media_type="application/pdf",
        sha256="a" * 64,
        size=1,
        source="",
        bytes=0,
        characters=0,
        pages=0,
        language="de",
        trusted=False,
        public=False,
        problem="",
    )


@pytest.fixture
def arrays() -> KnowledgeArrays:
    starts = tuple(int(start) for start in np.cumsum([0, *map(len, PAGES)])[:-1])
    text = "".join(PAGES)
    first = IndexedDocument(known("a.md"), ExtractedText("text/markdown", BEFORE), [PassageSpan(0, len(BEFORE))])
    second = IndexedDocument(
        known("b.pdf"),
        ExtractedText("application/pdf", text, starts, ("i", "ii", "iii", "iv")),
        [PassageSpan(0, len(text))],
    )
    return build_arrays([first, second], None, None)


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_page_begins_and_ends_at_its_borders(arrays, number):
    page = page_text(arrays, 1, number)

    assert (page.page, page.page_label, page.text) == (number, ("i", "ii", "iii", "iv")[number - 1], PAGES[number - 1])
    assert page_text(arrays, 1, None).text[page.start :].startswith(page.text)


def test_a_file_without_pages_is_shown_whole_whatever_page_is_asked_for(arrays):
    assert page_text(arrays, 0, 7).text == BEFORE
    assert page_text(arrays, 0, 7).page is None
