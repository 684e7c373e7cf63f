from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pypdf
import pypdfium2
import pytest
from helpers.documents import Heading, write_pdf
from helpers.extractor_conformance import extract
from helpers.raw_pdf import FIRST_FREE, packed_pdf_of, page_objects, pdf_of

from satchel.runtime.errors import CancelledError
from satchel.runtime.knowledge.extract.pdf import structure
from satchel.runtime.knowledge.extract.pdf.structure import Structure, read_structure

FIRST_ITEM = 1000


def nothing() -> None:
    """Let it go on."""


def structure_of_objects(objects: dict[int, bytes], pages: int) -> Structure:
    return read_structure(lambda: pdf_of(objects), pages, nothing)


def with_outline(items: dict[int, bytes], pages: int = 3) -> dict[int, bytes]:
    outline = f"/Outlines<</Type/Outlines/First {FIRST_ITEM} 0 R>>"
    return {**page_objects((f"Page {n}." for n in range(pages)), catalog=outline), **items}


def item(title: str, page: int, links: str = "") -> bytes:
    return f"<</Title({title})/Dest[{FIRST_FREE + 2 * page} 0 R/Fit]{links}>>".encode()


def found(read: Structure) -> list[tuple[str, int, int]]:
    return [(entry.title, entry.level, entry.page) for entry in read.outline]


def test_outline_and_labels_are_those_that_pdfium_finds(tmp_path: Path) -> None:
    pages = [
        [Heading("Orbits"), "One.", Heading("Ellipses", 2), "Two.", Heading("Foci", 3), "Three."],
        [Heading("Areas", 2), "Four."],
        [Heading("Gravity"), "Five."],
    ]
    path = write_pdf(tmp_path / "a.pdf", pages, first_label=7, label_style="LETTERS_UPPER")
    read = read_structure(path.read_bytes, 3, nothing)
    document = pypdfium2.PdfDocument(path)
    toc = [(mark.get_title(), mark.level + 1, mark.get_dest().get_index()) for mark in document.get_toc()]
    labels = [document.get_page_label(page) for page in range(3)]
    document.close()
    assert found(read) == toc == [
        ("Orbits", 1, 0), ("Ellipses", 2, 0), ("Foci", 3, 0), ("Areas", 2, 1), ("Gravity", 1, 2),
    ]  # fmt: skip
    assert list(read.labels) == labels == ["G", "H", "I"]
    assert read.notes == ()


def test_a_file_without_outline_and_labels_has_none_and_nothing_to_say() -> None:
    assert structure_of_objects(page_objects(["One.", "Two."]), 2) == Structure()


def test_names_lead_to_pages_in_either_kind_of_table() -> None:
    action = f"<</Title(Second)/A<</S/GoTo/D(deep)>>/Next {FIRST_ITEM + 1} 0 R>>".encode()
    objects = with_outline({FIRST_ITEM: action, FIRST_ITEM + 1: b"<</Title(Third)/Dest/old>>"})
    target = FIRST_FREE + 2
    tables = f"/Names<</Dests<</Kids[500 0 R]>>>>/Dests<</old[{target + 2} 0 R/Fit]>>"
    objects[1] = objects[1].replace(b"/Outlines", f"{tables}/Outlines".encode(), 1)
    objects[500] = b"<</Limits[(deep)(deep)]/Names[(deep)<</D[%d 0 R/Fit]>>]>>" % target
    assert found(structure_of_objects(objects, 3)) == [("Second", 1, 1), ("Third", 1, 2)]


def test_an_outline_in_compressed_objects_is_read() -> None:
    objects = with_outline({FIRST_ITEM: item("Packed", 1)})
    content = packed_pdf_of(objects, [1, 2, 3, FIRST_ITEM])
    assert found(read_structure(lambda: content, 3, nothing)) == [("Packed", 1, 1)]


def test_items_that_lead_nowhere_are_left_out_and_those_below_them_kept() -> None:
    items = {
        FIRST_ITEM: f"<</Title(A web page)/A<</S/URI/URI(https://example.org)>>/First {FIRST_ITEM + 1} 0 R>>".encode(),
        FIRST_ITEM + 1: item("A page", 2, f"/Next {FIRST_ITEM + 2} 0 R"),
        FIRST_ITEM + 2: b"<</Title(No name)/Dest(nowhere)>>",
    }
    assert found(structure_of_objects(with_outline(items), 3)) == [("A page", 2, 2)]


def test_an_outline_that_runs_in_circles_ends() -> None:
    items = {
        FIRST_ITEM: item("A", 0, f"/Next {FIRST_ITEM + 1} 0 R/First {FIRST_ITEM + 1} 0 R"),
        FIRST_ITEM + 1: item("B", 1, f"/Next {FIRST_ITEM} 0 R/First {FIRST_ITEM + 1} 0 R"),
    }
    read = structure_of_objects(with_outline(items), 3)
    assert found(read) == [("A", 1, 0), ("B", 2, 1)]
    assert read.notes == ()


def test_an_outline_of_100000_entries_is_cut_and_said_so() -> None:
    items = {
        FIRST_ITEM + number: item(f"Entry {number}", number % 3, f"/Next {FIRST_ITEM + number + 1} 0 R")
        for number in range(100_000)
    }
    read = structure_of_objects(with_outline(items), 3)
    assert len(read.outline) == 20_000
    assert read.notes == ("entries of its outline past the first 20,000 were left out",)


def test_an_outline_that_is_nested_5000_deep_is_read() -> None:
    items = {
        FIRST_ITEM + number: item(f"Level {number}", 0, f"/First {FIRST_ITEM + number + 1} 0 R")
        for number in range(5_000)
    }
    read = structure_of_objects(with_outline(items), 3)
    assert [entry.level for entry in read.outline] == list(range(1, 5_001))


@pytest.mark.parametrize(
    ("outline", "labels", "notes"),
    [
        ("/Outlines 77 0 R", "/PageLabels 78 0 R", "its printed page labels could not be read"),
        ("/Outlines<</First 5>>", "/PageLabels<</Nums[0<</P(" + "x" * 50_000 + ")>>]>>", ""),
        ("/Outlines[1 2 3]", "/PageLabels<</Kids[2 0 R 1 0 R]>>", ""),
        ("/Outlines<</First<</Title<</A 1>>/Dest[[]]>>>>", "/PageLabels<</Nums[0]>>", ""),
    ],
)
def test_nonsense_is_no_outline_and_no_error(outline: str, labels: str, notes: str, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf_of(page_objects(["Text stays.", "More text."], catalog=outline + labels)))
    extracted = extract(path)
    assert "Text stays." in extracted.text
    assert extracted.headings == ()
    assert "; ".join(extracted.notes) == notes
    assert all(len(label) <= 100 for label in extracted.page_labels)


def test_where_pypdf_counts_other_pages_its_answer_is_not_taken() -> None:
    read = structure_of_objects(with_outline({FIRST_ITEM: item("Orbits", 0)}), 4)
    assert read.outline == ()
    assert read.notes == ("its outline could not be read",)


def test_where_pypdf_fails_the_text_is_read_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_pdf(tmp_path / "a.pdf", [[Heading("Orbits"), "Text stays."]])

    def fail(*_arguments: object) -> None:
        raise RecursionError

    monkeypatch.setattr(pypdf.PdfReader, "read", fail)
    extracted = extract(path)
    assert "Text stays." in extracted.text
    assert extracted.page_labels == ()
    assert extracted.notes == ("its outline and page labels, if it has any, could not be read",)


def test_where_pypdf_takes_too_long_the_text_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_pdf(tmp_path / "a.pdf", [[Heading("Orbits"), "Text stays."]])
    monkeypatch.setattr(structure, "_SECONDS", -1.0)
    extracted = extract(path)
    assert "Text stays." in extracted.text
    assert extracted.notes == ("its outline and page labels, if it has any, could not be read",)


def test_reading_it_can_be_cancelled(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [[Heading("Orbits"), "Text."]])
    with pytest.raises(CancelledError):
        read_structure(path.read_bytes, 1, cancelling())


def cancelling() -> Callable[[], None]:
    def cancel() -> None:
        raise CancelledError

    return cancel


@pytest.mark.parametrize("algorithm", ["RC4-40", "RC4-128"])
def test_the_outline_of_an_encrypted_file_is_read(algorithm: str, tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [[Heading("Orbits"), "Text."]], first_label=5)
    encrypted = io.BytesIO()
    writer = pypdf.PdfWriter(clone_from=path)
    writer.encrypt("open sesame", "owner", algorithm=algorithm)
    writer.write(encrypted)
    path.write_bytes(encrypted.getvalue())
    extracted = extract(path, password="open sesame")
    assert [extracted.text[h.start : h.end] for h in extracted.headings] == ["Orbits"]
    assert extracted.page_labels == ("5",)
    assert extracted.notes == ()
