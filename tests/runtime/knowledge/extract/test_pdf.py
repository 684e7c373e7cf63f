# ruff: noqa: RUF001 - letters of other scripts
from __future__ import annotations

from pathlib import Path

import pypdf
import pytest
from helpers.documents import Heading, write_pdf, write_scanned_pdf
from helpers.extractor_conformance import ExtractorConformance, extract
from helpers.raw_pdf import FIRST_FREE, FONT, page_objects, pdf_of, stream

from satchel.runtime.knowledge.errors import (
    DamagedDocumentError,
    EmptyDocumentError,
    EncryptedDocumentError,
    NoTextError,
)

LONG = (
    "A planet that moves around its star on a narrow ellipse is fastest where it comes closest to it, and slowest "
    "where it is farthest away, so that a line from the star to the planet sweeps over equal areas in equal times. "
)


class TestPdf(ExtractorConformance):
    SUFFIX = ".pdf"
    MEDIA_TYPE = "application/pdf"
    HAS_PAGES = True

    def write_sample(self, path: Path) -> Path:
        pages = [[Heading("Small moons"), self.SENTENCE], [LONG], [LONG]]
        return write_pdf(path, pages)


def page_texts(path: Path) -> list[str]:
    extracted = extract(path)
    ends = [*extracted.page_starts[1:], len(extracted.text)]
    return [extracted.text[start:end].strip() for start, end in zip(extracted.page_starts, ends, strict=True)]


def test_lines_are_joined_to_paragraphs(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [[LONG * 2, "A short one.", LONG]])
    assert extract(path).text.strip().split("\n\n") == [(LONG * 2).strip(), "A short one.", LONG.strip()]


def test_a_sentence_that_runs_over_a_page_is_one_sentence(tmp_path: Path) -> None:
    words = LONG.split()
    path = write_pdf(tmp_path / "a.pdf", [[" ".join(words[:28])], [" ".join(words[28:])]])
    extracted = extract(path)
    assert " ".join(words) in extracted.text
    assert extracted.text[extracted.page_starts[1] :].startswith(words[28])


def test_a_word_cut_at_a_line_end_is_whole_again(tmp_path: Path) -> None:
    path = write_pdf(
        tmp_path / "a.pdf",
        [["The force of gravi-<br/>tation pulls. It is a well-<br/>known force, well known to all."]],
    )
    assert "The force of gravitation pulls. It is a well-known force" in extract(path).text


def test_a_hyphen_for_a_word_to_come_stays(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [["Das sind die Vor-<br/>und Nachteile, von 1990-<br/>1995 gemessen."]])
    assert "die Vor- und Nachteile, von 1990-1995 gemessen" in extract(path).text


def test_the_outline_gives_headings_with_levels(tmp_path: Path) -> None:
    pages = [
        [Heading("Orbits"), "Text one.", Heading("Kepler’s laws", 2), "Text two."],
        [Heading("Gravity"), "Text three."],
    ]
    extracted = extract(write_pdf(tmp_path / "a.pdf", pages))
    found = [(extracted.text[h.start : h.end], h.level) for h in extracted.headings]
    assert found == [("Orbits", 1), ("Kepler’s laws", 2), ("Gravity", 1)]


def test_large_type_gives_headings_where_there_is_no_outline(tmp_path: Path) -> None:
    pages = [[Heading("Orbits"), LONG, LONG, Heading("Kepler’s laws", 2), LONG, LONG], [LONG, LONG]]
    extracted = extract(write_pdf(tmp_path / "a.pdf", pages, outline=False))
    found = [(extracted.text[h.start : h.end], h.level) for h in extracted.headings]
    assert found == [("Orbits", 1), ("Kepler’s laws", 2)]


def test_printed_page_labels_are_kept(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [["One."], ["Two."], ["Three."]], first_label=4, label_style="ROMAN_LOWER")
    assert extract(path).page_labels == ("iv", "v", "vi")


def test_running_headers_and_page_numbers_are_left_out_and_are_no_loss(tmp_path: Path) -> None:
    bodies = [f"{name} is a planet, and this is its page." for name in ("Mercury", "Venus", "Earth", "Mars", "Jupiter")]
    pages = [["About planets and their pages."], *([body] for body in bodies)]
    path = write_pdf(tmp_path / "a.pdf", pages, running_header="About planets", page_numbers=True, first_label=17)
    assert page_texts(path) == ["About planets and their pages.", *bodies]
    assert extract(path).notes == ()


def test_a_repeated_line_that_stands_nowhere_else_is_kept_once(tmp_path: Path) -> None:
    pages = [[f"Row {name}: a value of its own."] for name in ("a", "b", "c", "d", "e")]
    path = write_pdf(tmp_path / "a.pdf", pages, running_header="Planet, mass in tonnes")
    assert extract(path).text.count("Planet, mass in tonnes") == 1


def test_a_number_that_is_no_page_number_stays(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [[str(number)] for number in (3, 14, 15, 92, 65, 35)])
    assert page_texts(path) == ["3", "14", "15", "92", "65", "35"]


def test_a_document_of_nothing_but_page_numbers_keeps_them(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [[f"Page {number}."] for number in range(1, 6)])
    assert page_texts(path) == [f"Page {number}." for number in range(1, 6)]


def test_an_empty_page_is_counted(tmp_path: Path) -> None:
    assert page_texts(write_pdf(tmp_path / "a.pdf", [["One."], [], ["Three."], []])) == ["One.", "", "Three.", ""]


def test_lines_of_a_list_stay_lines(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [["You need:", "• a lens", "• a tube", "1. Look.", "2. Draw."]])
    lines = [line for line in extract(path).text.splitlines() if line]
    assert lines == ["You need:", "• a lens", "• a tube", "1. Look.", "2. Draw."]


def test_an_encrypted_file_says_which_password_it_needs_and_opens_with_it(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "secret.pdf", [["The treasure lies here."]], password="open sesame")
    with pytest.raises(
        EncryptedDocumentError, match=r"secret.pdf is encrypted: it needs a password to open"
    ) as refused:
        extract(path)
    assert "user or owner password" in refused.value.advice
    with pytest.raises(EncryptedDocumentError, match="the password given does not open it"):
        extract(path, password="wrong")
    assert "treasure" in extract(path, password="open sesame").text
    assert "treasure" in extract(path, password="owner").text


def test_a_file_encrypted_without_a_password_to_open_is_read(tmp_path: Path) -> None:
    write_pdf(tmp_path / "plain.pdf", [["Printing this is forbidden."]])
    writer = pypdf.PdfWriter(clone_from=tmp_path / "plain.pdf")
    writer.encrypt("", "owner", algorithm="RC4-128")
    writer.write(tmp_path / "restricted.pdf")
    assert "Printing this is forbidden." in extract(tmp_path / "restricted.pdf").text


def test_a_scanned_file_says_that_it_has_pictures_only(tmp_path: Path) -> None:
    path = write_scanned_pdf(tmp_path / "scan.pdf", pages=3)
    with pytest.raises(NoTextError, match=r"scan.pdf has no text, only pictures \(on 3 of 3 pages\)"):
        extract(path)


def test_scanned_pages_among_others_are_noted(tmp_path: Path) -> None:
    writer = pypdf.PdfWriter()
    for part in (write_pdf(tmp_path / "a.pdf", [["Text."]]), write_scanned_pdf(tmp_path / "b.pdf", pages=3)):
        writer.append(part)
    writer.write(tmp_path / "mixed.pdf")
    assert extract(tmp_path / "mixed.pdf").notes == (
        "pages with pictures and no text: 2-4 (read_pictures = true under [knowledge] in assistant.toml has them read)",
    )


def test_a_file_of_blank_pages_is_empty(tmp_path: Path) -> None:
    with pytest.raises(EmptyDocumentError, match="no text and no picture is on its 2 pages"):
        extract(write_pdf(tmp_path / "blank.pdf", [[], []]))


def test_a_truncated_pdf_is_named_with_its_reason(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "cut.pdf", [[LONG]] * 3)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(DamagedDocumentError, match=r"cut.pdf is damaged or cut short: no PDF can be found in it"):
        extract(path)


def test_a_file_with_a_lost_table_of_objects_is_repaired(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [["Still here."]])
    path.write_bytes(path.read_bytes().partition(b"startxref")[0])
    assert "Still here." in extract(path).text


def test_text_from_right_to_left_is_in_the_order_of_speech(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(hebrew_pdf())
    assert extract(path).text.strip() == "שלום"


def test_characters_beyond_the_first_plane_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf_with_unicode(b"(xAx) Tj", b"<41> <D835DC65>"))
    assert extract(path).text.strip() == "x𝑥x"


def test_ligatures_and_accents_of_tex_become_letters(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf_with_unicode(b"(TonhDohe Bnden) Tj", b"<42> <FB01> <44> <00A8>"))
    assert extract(path).text.strip() == "Tonhöhe finden"


def hebrew_pdf() -> bytes:
    """Glyphs are placed from left to right as they look: the last letter first."""
    return pdf_with_unicode(b"(DCBA) Tj", b"<41> <05E9> <42> <05DC> <43> <05D5> <44> <05DD>")


def pdf_with_unicode(text: bytes, characters: bytes) -> bytes:
    """A one-page PDF whose font says what its codes mean: `characters` are pairs of code and UTF-16."""
    mapping = b"\n".join(b" ".join(pair) for pair in zip(*[iter(characters.split())] * 2, strict=True))
    count = str(len(characters.split()) // 2).encode()
    unicode_map = (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /A def /CMapType 2 def "
        b"1 begincodespacerange <00> <FF> endcodespacerange "
        + count
        + b" beginbfchar "
        + mapping
        + b" endbfchar endcmap end end"
    )
    objects = page_objects([""])
    objects[FONT] = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 4 0 R>>"
    objects[4] = stream(unicode_map)
    objects[FIRST_FREE + 1] = stream(b"BT /F1 12 Tf 100 700 Td " + text + b" ET")
    return pdf_of(objects)
