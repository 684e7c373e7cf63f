from __future__ import annotations

from pathlib import Path

import pytest
from helpers.documents import write_pdf
from helpers.extractor_conformance import extract
from helpers.raw_pdf import page_objects, pdf_of

from satchel.runtime.knowledge.errors import EncryptedDocumentError
from satchel.runtime.knowledge.extract.pdf.encryption import Encryption, describe_encryption

AES_256 = (
    "/Filter/Standard/V 5/R 6/Length 256/P -1028/StmF/StdCF/StrF/StdCF/CF<</StdCF<</CFM/AESV3/Length 32>>>>"
    f"/O<{'00' * 48}>/U<{'00' * 48}>/OE<{'00' * 32}>/UE<{'00' * 32}>/Perms<{'00' * 16}>"
)


def encrypted(path: Path, dictionary: str) -> Path:
    identity = "/ID[<00><00>]"
    path.write_bytes(pdf_of(page_objects(["A secret."]), trailer=f"/Encrypt<<{dictionary}>>{identity}"))
    return path


def test_the_kind_of_encryption_is_named(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [["A secret."]], password="open sesame")
    assert describe_encryption(path.read_bytes(), lambda: None) == Encryption("Standard", "RC4-128")
    with pytest.raises(EncryptedDocumentError, match=r"a.pdf is encrypted: it needs a password to open \(RC4-128\)"):
        extract(path)
    with pytest.raises(EncryptedDocumentError, match=r"the password given does not open it \(AES-256\)"):
        extract(encrypted(path, AES_256), password="wrong")


def test_a_file_for_holders_of_certificates_says_so(tmp_path: Path) -> None:
    path = encrypted(tmp_path / "a.pdf", "/Filter/Adobe.PubSec/SubFilter/adbe.pkcs7.s5/V 4")
    with pytest.raises(EncryptedDocumentError, match="only the holders of certain certificates can open it") as refused:
        extract(path)
    assert "a viewer that has your certificate" in refused.value.advice


@pytest.mark.parametrize(
    ("handler", "opener"),
    [
        ("EBX_HANDLER", "Adobe Digital Editions"),
        ("House.Made", "House.Made"),
        ("#1b[31mred", "one program"),
        ("x" * 500, "one program"),
    ],
)
def test_a_file_under_another_protection_says_what_opens_it(handler: str, opener: str, tmp_path: Path) -> None:
    with pytest.raises(EncryptedDocumentError, match=f"protected in a way that only {opener} opens"):
        extract(encrypted(tmp_path / "a.pdf", f"/Filter/{handler}/V 1"))


def test_what_pypdf_cannot_tell_is_left_out_of_the_message() -> None:
    assert describe_encryption(b"%PDF-1.7 and no more", lambda: None) == Encryption("")
