"""Scanned pages are read by the real recogniser, page by page."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.documents import Heading
from helpers.scans import Scanner, draw_page, needs_ocr, write_scan

from satchel.runtime.errors import CancelledError
from satchel.runtime.knowledge.documents import ExtractedText
from satchel.runtime.knowledge.errors import (
    ChangedWhileReadError,
    NothingWrittenError,
    UnreadPicturesError,
)
from satchel.runtime.knowledge.extract.pdf.lines import Line
from satchel.runtime.knowledge.extract.reader import DocumentReader
from satchel.runtime.knowledge.recognition.page_cache import PageCache, ReadPicture
from satchel.runtime.knowledge.recognition.picture_reader import PictureReader
from satchel.runtime.knowledge.recognition.reading import PictureReading, with_pictures
from satchel.runtime.progress import SILENT, Progress

pytestmark = needs_ocr

GATE = (
    "The flood gate of the old harbour closes at a water level of 3.2 metres. Its keeper, Wilma Janssen, lives in the "
    "small house beside the lock. She has done so since the great storm."
)
SIREN = (
    "In an emergency the siren sounds three times, and the office is called on channel 12. Whoever hears it leaves the "
    "pier by the eastern stairs. The gate is then closed by hand."
)
TYPED = "This page is real text, and nobody needs to look at its picture."
CLEAN = draw_page([Heading("The flood gate"), GATE, SIREN]).picture


@pytest.fixture(scope="module")
def reader() -> Iterator[DocumentReader]:
    with DocumentReader() as reader:
        yield reader


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PictureReader]:
    with PictureReader(PageCache(tmp_path_factory.mktemp("pages"), "this one"), threads=2) as pictures:
        yield pictures


def read(path: Path, reader: DocumentReader, pictures: PictureReader, progress: Progress = SILENT) -> ExtractedText:
    first = reader.read(path, pictures={})
    return with_pictures(first, path, path.name, reader, PictureReading(pictures, ""), progress=progress).extracted


def on_one_line(text: str) -> str:
    return " ".join(text.split())


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_scanned_page_comes_out_as_headings_and_paragraphs(tmp_path, reader, pictures):
    extracted = read(write_scan(tmp_path / "scan.pdf", [CLEAN]), reader, pictures)

    assert extracted.text == f"The flood gate\n\n{GATE}\n\n{SIREN}"
    assert [extracted.text[one.start : one.end] for one in extracted.headings] == ["The flood gate"]
    assert (extracted.page_starts, extracted.from_pictures, extracted.notes) == ((0,), (1,), ())


@pytest.mark.parametrize(
    "scanner", [Scanner(skew=1.2, noise=15), Scanner(skew=-3, jpeg_quality=60)], ids=["noise", "askew"]
)
def test_two_columns_are_read_in_their_order_askew_and_with_noise(tmp_path, reader, pictures, scanner):
    words = [GATE, SIREN] * 5
    page = draw_page(words, columns=2, scanner=scanner)
    assert page.blocks > 6, "both columns hold text"

    extracted = read(write_scan(tmp_path / "scan.pdf", [page.picture]), reader, pictures)

    assert "".join(extracted.text.split()) == "".join(page.lines).replace(" ", "")


@pytest.mark.parametrize("turned", [90, 180])
def test_a_page_that_lies_on_its_side_or_its_head_is_turned(tmp_path, reader, pictures, turned):
    path = write_scan(tmp_path / "scan.pdf", [CLEAN.rotate(turned, expand=True)])

    assert on_one_line(GATE) in on_one_line(read(path, reader, pictures).text)


def test_pages_of_pictures_among_others_take_their_places_without_running_headers(tmp_path, reader, pictures):
    drawn = [
        draw_page([text], header="Harbour handbook", footer=str(number)).picture
        for number, text in ((1, GATE), (3, SIREN), (4, GATE))
    ]
    path = write_scan(tmp_path / "mixed.pdf", [drawn[0], TYPED, *drawn[1:]])
    said: list[str] = []

    extracted = read(path, reader, pictures, lambda stage, _done, _total: said.append(stage))

    assert extracted.from_pictures == (1, 3, 4)
    pages = [
        extracted.text[a:b].strip()
        for a, b in zip(extracted.page_starts, (*extracted.page_starts[1:], None), strict=True)
    ]
    assert [on_one_line(page.replace("Harbour handbook", "")) for page in pages] == [GATE, TYPED, SIREN, GATE]
    assert pages[2] == SIREN, "header and page number are no part of the text"
    assert [stage for stage in dict.fromkeys(said) if "picture" in stage] == [
        f"reading the pictures of mixed.pdf, page {page} of 4" for page in (1, 3, 4)
    ]


def test_other_languages_keep_their_letters(tmp_path, reader, pictures):
    german = "Über die Brücke am Fluß führt ein schmaler Weg; größere Schiffe müssen warten, bis der Wärter öffnet."
    french = "Après la tempête, la marée a noyé le café près du phare, où des crêpes étaient servies à Noël."

    text = on_one_line(
        read(write_scan(tmp_path / "a.pdf", [draw_page([german, french]).picture]), reader, pictures).text
    )

    assert german in text
    assert french in text


def test_pictures_without_writing_are_told_from_those_that_were_not_read(tmp_path, reader, pictures):
    from PIL import Image

    path = write_scan(tmp_path / "photo.pdf", [Image.new("L", (300, 400), 180)] * 2)

    with pytest.raises(
        NothingWrittenError, match=r"photo.pdf has .* \(on 2 of 2 pages\), and none could be made out on them"
    ):
        read(path, reader, pictures)


def test_after_a_cancel_no_page_is_read_again(tmp_path, reader):
    path = write_scan(tmp_path / "scan.pdf", [draw_page([text]).picture for text in (GATE, SIREN)])
    cache = PageCache(tmp_path / "pages", "this one")

    def until_the_second(stage: str, _done: int, _total: int | None) -> None:
        if "page 2" in stage:
            raise CancelledError

    with PictureReader(cache, threads=2) as pictures:
        with pytest.raises(CancelledError):
            read(path, reader, pictures, until_the_second)
        first = cache.get(sha256(path), 1)
        assert first is not None
        assert cache.get(sha256(path), 2) is None
        # Something else in its place shows that it is taken from there.
        cache.put(sha256(path), 1, ReadPicture((Line("Kept.", 50, 90, 700, 11),), 1.0))

        assert read(path, reader, pictures).text == f"Kept.\n\n{SIREN}"
    assert PageCache(tmp_path / "pages", "another one").get(sha256(path), 1) is None


def test_a_cancel_within_a_page_stops_at_once(tmp_path, reader):
    path = write_scan(tmp_path / "scan.pdf", [CLEAN])
    calls: list[str] = []

    def after_a_while(stage: str, _done: int, _total: int | None) -> None:
        calls.append(stage)
        if sum("page 1" in one for one in calls) == 3:
            raise CancelledError

    with PictureReader(PageCache(tmp_path / "pages", ""), threads=2) as pictures, pytest.raises(CancelledError):
        read(path, reader, pictures, after_a_while)


def test_pages_that_were_hard_to_read_are_named(tmp_path, reader):
    path = write_scan(tmp_path / "scan.pdf", [CLEAN] * 4)
    cache = PageCache(tmp_path / "pages", "this one")
    for page, certainty in enumerate((0.98, 0.7, 0.85, 0.95), 1):
        cache.put(sha256(path), page, ReadPicture((Line("Kept.", 50, 90, 700, 11),), certainty))

    with PictureReader(cache, threads=2) as pictures:
        extracted = read(path, reader, pictures)

    assert extracted.notes == ("pages whose pictures were hard to read, and may be read wrongly: 2-3",)


def test_a_page_that_takes_too_long_is_named_and_the_others_stay(tmp_path, reader):
    path = write_scan(tmp_path / "mixed.pdf", [TYPED, CLEAN])

    with PictureReader(PageCache(tmp_path / "pages", ""), threads=2, seconds_a_page=0.05) as pictures:
        extracted = read(path, reader, pictures)

    assert extracted.text.strip() == TYPED
    assert extracted.unread_pictures == (2,)
    assert extracted.notes == (
        "pages with pictures that were not read: 2: it took longer than the 0.05 s that one page may take",
    )


def test_a_file_of_pictures_that_all_fail_is_an_error_with_the_reason_and_only_three_are_tried(tmp_path, reader):
    path = write_scan(tmp_path / "scan.pdf", [CLEAN] * 5)

    with (
        PictureReader(PageCache(tmp_path / "pages", ""), threads=2, memory_bytes=400 << 20) as pictures,
        pytest.raises(UnreadPicturesError, match=r"could not be read: page 1-5: the recogniser ") as caught,
    ):
        read(path, reader, pictures)

    assert caught.value.exit_code == 24


def test_without_the_extra_the_error_and_the_note_name_the_command(tmp_path, reader):
    scan = write_scan(tmp_path / "scan.pdf", [CLEAN])
    mixed = write_scan(tmp_path / "mixed.pdf", [TYPED, CLEAN])

    with pytest.raises(UnreadPicturesError, match=r"scan\.pdf") as caught:
        with_pictures(reader.read(scan, pictures={}), scan, scan.name, reader, None)
    assert caught.value.advice == "In the checkout run: pip install '.[ocr]'"
    left = with_pictures(reader.read(mixed, pictures={}), mixed, mixed.name, reader, None).extracted
    assert left.text.strip() == TYPED
    assert left.notes[0].startswith("pages with pictures and no text: 2 (")
    assert left.notes[0].endswith("pip install '.[ocr]')")


def test_a_file_that_changes_meanwhile_is_not_mixed_with_what_it_was(tmp_path, reader, pictures):
    path = write_scan(tmp_path / "scan.pdf", [CLEAN])
    first = reader.read(path, pictures={})
    write_scan(path, [draw_page(["Another page."]).picture])

    with pytest.raises(ChangedWhileReadError, match=r"scan.pdf changed"):
        with_pictures(first, path, path.name, reader, PictureReading(pictures, ""))
