from __future__ import annotations

from dataclasses import replace

import pytest

from satchel.runtime.knowledge.documents import ExtractedText, Heading
from satchel.runtime.knowledge.errors import EmptyDocumentError, TooLargeError
from satchel.runtime.knowledge.extract.assembly import TextBuilder
from satchel.runtime.knowledge.extract.limits import MAX_TEXT_BYTES
from satchel.runtime.knowledge.extract.validity import find_fault

GOOD = ExtractedText("text/plain", "Title\n\nText", (0, 7), ("i", "ii"), (Heading(0, 5, 1),))


def test_pieces_are_set_apart_and_places_kept() -> None:
    builder = TextBuilder("a")
    builder.start_page("i")
    builder.heading(" One\n title ", 2)
    builder.paragraph("Text.")
    builder.line("Next line.")
    builder.start_page("ii")
    builder.start_page("iii")
    builder.paragraph("End.")
    built = builder.build("text/plain")
    assert built.text == "One title\n\nText.\nNext line.\n\n\nEnd."
    assert built.page_starts == (0, 29, 30)
    assert built.headings == (Heading(0, 9, 2),)
    assert find_fault(built) == ""


def test_a_sentence_may_run_on_over_a_page() -> None:
    builder = TextBuilder("a")
    builder.start_page()
    builder.paragraph("It runs")
    builder.start_page(separator=" ")
    builder.paragraph("on.")
    assert builder.build("x").text == "It runs on."


def test_nothing_added_is_an_empty_document() -> None:
    builder = TextBuilder("a.pdf")
    builder.start_page()
    builder.paragraph(" \n\0")
    with pytest.raises(EmptyDocumentError, match=r"a\.pdf is empty: there is no text in it"):
        builder.build("x")


def test_too_much_text_is_refused_when_it_is_added() -> None:
    builder = TextBuilder("a.csv")
    builder.paragraph("ä" * (MAX_TEXT_BYTES // 2 - 10))
    with pytest.raises(TooLargeError, match="its text is longer than 64 MiB"):
        builder.paragraph("ä" * 10)


@pytest.mark.parametrize(
    "change",
    [
        {"text": "Title\n\nText\0"},
        {"text": "Title\r\n\nText"},
        {"text": "Title\n\nText\ud800"},
        {"page_starts": (0, 0)},
        {"page_starts": (1, 7)},
        {"page_starts": (0, 12)},
        {"page_labels": ("i",)},
        {"page_labels": ("i", "\0")},
        {"headings": (Heading(0, 0, 1),)},
        {"headings": (Heading(0, 50, 1),)},
        {"headings": (Heading(0, 5, 0),)},
        {"headings": (Heading(3, 5, 1), Heading(0, 2, 1))},
    ],
)
def test_what_breaks_the_rules_is_found(change: dict[str, object]) -> None:
    assert find_fault(GOOD) == ""
    assert find_fault(replace(GOOD, **change)) != ""
