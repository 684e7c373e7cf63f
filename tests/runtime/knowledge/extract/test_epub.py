from __future__ import annotations

from pathlib import Path

import pytest
from helpers.documents import read_part, with_part, write_epub
from helpers.extractor_conformance import ExtractorConformance, extract

from satchel.runtime.knowledge.errors import DamagedDocumentError, EncryptedDocumentError

CHAPTERS = (("Near", "<h1>Near moons</h1><p>Phobos is near.</p>"), ("Far", "<h1>Far moons</h1><p>Deimos is far.</p>"))


class TestEpub(ExtractorConformance):
    SUFFIX = ".epub"
    MEDIA_TYPE = "application/epub+zip"
    HAS_PAGES = True

    def write_sample(self, path: Path) -> Path:
        return write_epub(path, [("Moons", f"<h1>Small moons</h1><p>{self.SENTENCE}</p>"), *CHAPTERS])


def test_chapters_are_pages_labelled_by_the_table_of_contents(tmp_path: Path) -> None:
    extracted = extract(write_epub(tmp_path / "a.epub", CHAPTERS))
    assert extracted.text == "Near moons\n\nPhobos is near.\n\nFar moons\n\nDeimos is far."
    assert extracted.page_labels == ("Near", "Far")
    assert extracted.page_starts == (0, extracted.text.index("Far moons"))


def test_the_contents_of_version_2_give_labels_as_well(tmp_path: Path) -> None:
    path = write_epub(tmp_path / "a.epub", CHAPTERS)
    new, old = 'href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"', "application/x-dtbncx+xml"
    book = read_part(path, "OEBPS/book.opf").replace(new, f'href="toc.ncx" media-type="{old}"')
    point = '<navPoint><navLabel><text>{0}</text></navLabel><content src="{1}"/></navPoint>'
    points = point.format("Erstes", "chapter1.xhtml#start") + point.format("Zweites", "chapter2.xhtml")
    contents = f'<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap>{points}</navMap></ncx>'
    with_part(
        with_part(path, "OEBPS/book.opf", book),
        "OEBPS/toc.ncx",
        '<!DOCTYPE ncx PUBLIC "x" "http://example.invalid/ncx.dtd">' + contents,
    )
    assert extract(path).page_labels == ("Erstes", "Zweites")


def test_elements_closed_at_once_do_not_swallow_the_page(tmp_path: Path) -> None:
    path = write_epub(
        tmp_path / "a.epub", [("One", '<p><a id="x"/>Before <i/>and <span class="y"/>after.</p><script/><p>Next.</p>')]
    )
    assert extract(path).text == "Before and after.\n\nNext."


def test_a_missing_chapter_is_noted(tmp_path: Path) -> None:
    path = write_epub(tmp_path / "a.epub", CHAPTERS)
    book = read_part(path, "OEBPS/book.opf").replace('href="chapter1.xhtml"', 'href="lost.xhtml"')
    extracted = extract(with_part(path, "OEBPS/book.opf", book))
    assert extracted.notes == ("1 of 2 chapters are missing from the file",)
    assert "Deimos is far." in extracted.text


def test_copy_protection_is_said_so(tmp_path: Path) -> None:
    encryption = '<encryption xmlns:e="x"><e:CipherReference URI="OEBPS/chapter1.xhtml"/></encryption>'
    path = with_part(write_epub(tmp_path / "a.epub", CHAPTERS), "META-INF/encryption.xml", encryption)
    with pytest.raises(EncryptedDocumentError, match="its chapters are protected by DRM"):
        extract(path)


def test_scrambled_fonts_are_no_copy_protection(tmp_path: Path) -> None:
    encryption = '<encryption xmlns:e="x"><e:CipherReference URI="OEBPS/font.otf"/></encryption>'
    path = with_part(write_epub(tmp_path / "a.epub", CHAPTERS), "META-INF/encryption.xml", encryption)
    assert "Phobos" in extract(path).text


def test_entities_of_files_are_not_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("SECRET")
    path = write_epub(tmp_path / "a.epub", CHAPTERS)
    doctype = f'<!DOCTYPE package [<!ENTITY e SYSTEM "{secret.as_uri()}">]>'
    book = read_part(path, "OEBPS/book.opf").replace("<metadata/>", "<metadata>&e;</metadata>")
    with_part(path, "OEBPS/book.opf", book.replace('<?xml version="1.0"?>', f'<?xml version="1.0"?>{doctype}'))
    chapter = f'<!DOCTYPE html [<!ENTITY e SYSTEM "{secret.as_uri()}">]><html><body><p>Phobos &e;</p></body></html>'
    extracted = extract(with_part(path, "OEBPS/chapter1.xhtml", chapter))
    assert "Phobos" in extracted.text
    assert "SECRET" not in extracted.text


def test_a_book_without_a_reading_order_is_named_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(DamagedDocumentError, match="its reading order is empty"):
        extract(write_epub(tmp_path / "a.epub", []))
