from __future__ import annotations

from pathlib import Path

import pytest
from helpers.documents import Slide, write_docx, write_epub, write_pdf, write_pptx, write_xlsx, write_zip
from helpers.extractor_conformance import ignore

from satchel.runtime.knowledge.errors import (
    DamagedDocumentError,
    EncryptedDocumentError,
    TooLargeError,
    UnknownFormatError,
)
from satchel.runtime.knowledge.extract.protocol import Source
from satchel.runtime.knowledge.extract.registry import (
    FORMATS,
    choose_format,
    extract_text,
    refuse_by_size,
)

PAGE = b"<!DOCTYPE html><html><p>Text.</p></html>"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600


def chosen(name: str, content: bytes) -> str:
    return choose_format(Source(name, content)).name


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (lambda path: write_pdf(path, [["x"]]), "PDF"),
        (lambda path: write_docx(path, ["x"]), "Word (.docx)"),
        (lambda path: write_pptx(path, [Slide("x")]), "PowerPoint (.pptx)"),
        (lambda path: write_xlsx(path, {"x": [["x"]]}), "Excel (.xlsx)"),
        (lambda path: write_epub(path, [("x", "x")]), "EPUB"),
    ],
)
@pytest.mark.parametrize("suffix", ["", ".txt", ".zip", ".pdf", ".docx"])
def test_the_content_decides_whatever_the_name_says(tmp_path: Path, write, name: str, suffix: str) -> None:
    content = write(tmp_path / "written").read_bytes()
    assert chosen(f"file{suffix}", content) == name


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.md", PAGE, "Markdown"),
        ("a.php", PAGE, "source code"),
        ("a.html", b"no tags at all", "HTML"),
        ("a.txt", PAGE, "HTML"),
        ("report.pdf", PAGE, "HTML"),
        ("a", b"text", "plain text"),
        ("a.unknown", b"text", "plain text"),
        ("A.CSV", b"a,b", "CSV"),
        ("Makefile", b"all:\n\tcc", "plain text"),
        ("bmp.txt", b"BM is how it begins", "plain text"),
    ],
)
def test_among_texts_the_suffix_decides(name: str, content: bytes, expected: str) -> None:
    assert chosen(name, content) == expected


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 20, "it is a picture"),
        (b"{\\rtf1 Hello}", "it is an RTF document: save it as .docx"),
        (b"\x7fELF" + b"\0" * 50, "it is a program"),
        (b"GGUF\3\0\0\0", "it is a language model, not a document"),
        (OLE + "WordDocument".encode("utf-16-le"), r"an old Word document \(.doc\): save it as .docx"),
        (b"\1\2\3\4" * 50, "it is neither text nor a format known here"),
    ],
)
def test_what_cannot_be_read_is_named_with_what_can(content: bytes, reason: str) -> None:
    with pytest.raises(
        UnknownFormatError, match=rf"x.bin cannot be read: {reason}\. Readable are PDF, Word .* and plain text"
    ) as refused:
        chosen("x.bin", content)
    assert refused.value.exit_code == 25


@pytest.mark.parametrize(
    ("part", "reason"),
    [("content.xml", "it is an OpenDocument file"), ("photo.jpg", "it is an archive: unpack it first"),
     ("xl/workbook.bin", "it is a binary Excel workbook")],
)  # fmt: skip
def test_other_zips_are_told_apart(tmp_path: Path, part: str, reason: str) -> None:
    with pytest.raises(UnknownFormatError, match=reason):
        chosen("a.zip", write_zip(tmp_path / "a.zip", {part: "x"}).read_bytes())


def test_an_encrypted_office_file_says_what_to_do() -> None:
    with pytest.raises(EncryptedDocumentError, match="it needs a password to open") as refused:
        chosen("a.docx", OLE + "EncryptedPackage".encode("utf-16-le"))
    assert refused.value.advice == "Save a copy without a password in the program that made it."


@pytest.mark.parametrize("name", ["a.pdf", "a.docx", "a.xlsx", "a.epub"])
def test_bytes_that_are_not_what_the_suffix_says_are_damage(name: str) -> None:
    with pytest.raises(DamagedDocumentError, match="it does not begin like a"):
        chosen(name, b"\0\1\2\3" * 100)


def test_a_zip_cut_short_is_damage(tmp_path: Path) -> None:
    content = write_docx(tmp_path / "a.docx", ["x"]).read_bytes()
    with pytest.raises(DamagedDocumentError, match=r"a.docx is damaged or cut short: its ZIP directory cannot be read"):
        chosen("a.docx", content[: len(content) // 2])


def test_a_parsers_own_exception_is_damage(capsys: pytest.CaptureFixture[str]) -> None:
    def broken(_done: int, _total: int | None) -> None:
        raise KeyError("oops")

    with pytest.raises(DamagedDocumentError, match=r"a\.txt is damaged or cut short: KeyError: 'oops'"):
        extract_text(Source("a.txt", b"text"), broken)
    assert "KeyError" in capsys.readouterr().err


def test_a_large_text_is_refused_by_its_first_bytes() -> None:
    refuse_by_size(b"text", 100 << 20, file="a.txt")
    refuse_by_size(b"%PDF-1.7 text", 500 << 20, file="a.pdf")
    with pytest.raises(TooLargeError, match="it is a text of 200 MiB, and one file may have 64 MiB of text"):
        refuse_by_size(b"text", 200 << 20, file="a.txt")


def test_every_format_can_be_imported_and_claims_suffixes_of_its_own() -> None:
    suffixes = [suffix for known in FORMATS for suffix in known.suffixes]
    assert len(suffixes) == len(set(suffixes))
    assert {".pdf", ".docx", ".md", ".py"} <= set(suffixes)
    for known in FORMATS:
        with pytest.raises(Exception, match="x"):
            known.extractor()(Source("x", b""), ignore)
