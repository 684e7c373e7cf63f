from __future__ import annotations

from pathlib import Path

import pytest
from helpers.documents import Heading, write_pdf
from helpers.extractor_conformance import extract
from helpers.raw_pdf import CATALOG, FIRST_FREE, FONT, PAGES, packed_pdf_of, page_objects, pdf_of

from satchel.runtime.errors import CancelledError
from satchel.runtime.knowledge.documents import ExtractedText
from satchel.runtime.knowledge.errors import DamagedDocumentError
from satchel.runtime.knowledge.extract.pdf.rescue import rescue_pages
from satchel.runtime.knowledge.extract.reader import DocumentReader

MOONS = ("Io is volcanic.", "Europa is icy.", "Ganymede is large.", "Callisto is old.")


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def page_texts(extracted: ExtractedText) -> list[str]:
    ends = [*extracted.page_starts[1:], len(extracted.text)]
    return [extracted.text[start:end].strip() for start, end in zip(extracted.page_starts, ends, strict=True)]


def without(content: bytes, *parts: bytes) -> bytes:
    """Overwrite what is named, so that everything else stays in its place."""
    for part in parts:
        assert part in content
        content = content.replace(part, b"#" * len(part))
    return content


def test_a_file_whose_table_of_places_is_destroyed_is_read_with_outline_and_labels(tmp_path: Path) -> None:
    pages = [[Heading("Orbits"), "The first page."], [Heading("Gravity"), "The second page."]]
    path = write_pdf(tmp_path / "a.pdf", pages, first_label=4, label_style="ROMAN_LOWER")
    content = path.read_bytes()
    table = content.rindex(b"xref\n0")
    end = content.index(b"trailer", table)
    path.write_bytes(content[:table] + bytes(7 * byte % 256 for byte in range(end - table)) + content[end:])
    extracted = extract(path)
    assert page_texts(extracted) == ["Orbits\n\nThe first page.", "Gravity\n\nThe second page."]
    assert [extracted.text[h.start : h.end] for h in extracted.headings] == ["Orbits", "Gravity"]
    assert extracted.page_labels == ("iv", "v")
    assert extracted.notes == ("the file is damaged or cut short: 2 of its 2 pages could be rescued",)


def test_a_file_that_lost_table_and_trailer_is_rescued_with_outline_and_labels(tmp_path: Path) -> None:
    pages = [[Heading("Orbits"), "The first page."], [Heading("Gravity"), "The second page."]]
    path = write_pdf(tmp_path / "a.pdf", pages, first_label=4, label_style="ROMAN_LOWER")
    content = path.read_bytes()
    path.write_bytes(content[: content.rindex(b"xref\n0")])
    extracted = extract(path)
    assert page_texts(extracted) == ["Orbits\n\nThe first page.", "Gravity\n\nThe second page."]
    assert [extracted.text[h.start : h.end] for h in extracted.headings] == ["Orbits", "Gravity"]
    assert extracted.page_labels == ("iv", "v")
    assert extracted.notes == ("the file is damaged or cut short: 2 of its 2 pages could be rescued",)


def test_a_file_cut_in_the_middle_gives_its_first_pages(tmp_path: Path, reader: DocumentReader) -> None:
    content = pdf_of(page_objects(MOONS))
    path = written(tmp_path / "a.pdf", content[: content.index(b"Ganymede")])
    extracted = reader.read(path).extracted
    assert page_texts(extracted) == [*MOONS[:2], "", ""]
    assert extracted.notes == (
        "the file is damaged or cut short: 2 of its 4 pages could be rescued",
        "pages that could not be read: 3-4",
    )


def test_a_file_that_lost_its_page_tree_gives_its_pages_as_they_lie(tmp_path: Path) -> None:
    objects = page_objects(MOONS)
    # Catalog and page tree at the end, as TeX writes them; cut off with them is the last page's content.
    last_first = {number: objects.pop(number) for number in (FIRST_FREE + 7, PAGES, CATALOG)}
    content = pdf_of({**objects, **last_first})
    path = written(tmp_path / "a.pdf", content[: content.index(b"%d 0 obj" % (FIRST_FREE + 7))])
    extracted = extract(path)
    assert page_texts(extracted) == [*MOONS[:3], ""]
    assert extracted.page_labels == ()
    assert extracted.notes == (
        (
            "the file is damaged or cut short: 3 pages could be rescued, counted in the order in which they lie in it; "
            "more may be missing, and its page labels are lost"
        ),
        "pages that could not be read: 4",
    )


def test_pages_in_compressed_objects_are_rescued(tmp_path: Path) -> None:
    objects = page_objects(MOONS)
    content = packed_pdf_of(objects, [number for number, value in objects.items() if b"stream" not in value])
    path = written(tmp_path / "a.pdf", content[: content.index(b"Callisto")])
    assert page_texts(extract(path)) == [*MOONS[:3], ""]


def test_a_page_lost_in_the_middle_keeps_its_number(tmp_path: Path) -> None:
    content = without(pdf_of(page_objects(MOONS)), b"%d 0 obj" % (FIRST_FREE + 2), b"trailer", b"startxref")
    extracted = extract(written(tmp_path / "a.pdf", content))
    assert page_texts(extracted) == [MOONS[0], "", *MOONS[2:]]
    assert extracted.notes[-1] == "pages that could not be read: 2"


def test_a_page_without_its_font_is_not_guessed(tmp_path: Path) -> None:
    content = without(pdf_of(page_objects(MOONS)), b"%d 0 obj" % FONT, b"trailer", b"startxref")
    with pytest.raises(DamagedDocumentError, match=r"a.pdf is damaged or cut short: no PDF can be found in it"):
        extract(written(tmp_path / "a.pdf", content))


def test_a_page_tree_that_runs_in_circles_ends() -> None:
    objects = page_objects(MOONS)
    objects[PAGES] = objects[PAGES].replace(b"[10", b"[2 0 R 10")
    rescued = rescue_pages(without(pdf_of(objects), b"trailer"), lambda: None)
    assert rescued is not None
    assert (rescued.pages, rescued.lost) == (4, ())


def test_a_file_with_nothing_but_pictures_left_is_damaged(tmp_path: Path) -> None:
    content = without(pdf_of(page_objects(["", ""])), b"trailer", b"startxref")
    with pytest.raises(DamagedDocumentError, match="no PDF can be found in it"):
        extract(written(tmp_path / "a.pdf", content))


def test_an_encrypted_file_is_not_rescued(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [["A secret."]], password="open sesame")
    content = path.read_bytes()
    assert rescue_pages(content, lambda: None) is None
    path.write_bytes(content[: content.rindex(b"xref\n0")])
    with pytest.raises(DamagedDocumentError, match="no PDF can be found in it"):
        extract(path)


def test_rescuing_can_be_cancelled() -> None:
    def cancel() -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        rescue_pages(pdf_of(page_objects(MOONS)), cancel)
