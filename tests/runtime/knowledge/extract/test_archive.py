from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest
from helpers.documents import write_zip

from satchel.runtime.knowledge.errors import DamagedDocumentError, EncryptedDocumentError, TooLargeError
from satchel.runtime.knowledge.extract import archive as archive_module
from satchel.runtime.knowledge.extract.archive import Archive


def test_a_part_is_read_by_its_name(tmp_path: Path) -> None:
    archive = Archive(write_zip(tmp_path / "a.zip", {"x/y.xml": "<y/>"}).read_bytes(), file="a.zip")
    assert archive.read("x/y.xml") == b"<y/>"
    assert archive.names == ["x/y.xml"]
    with pytest.raises(DamagedDocumentError, match=r"its part z\.xml is missing"):
        archive.read("z.xml")


def test_a_lie_about_a_parts_size_expands_no_further(tmp_path: Path) -> None:
    content = write_zip(tmp_path / "a.zip", {"bomb": b"\0" * (1 << 20)}).read_bytes()
    true, lie = struct.pack("<I", 1 << 20), struct.pack("<I", 100)
    assert content.count(true) == 2
    with pytest.raises(DamagedDocumentError, match="its part bomb is broken"):
        Archive(content.replace(true, lie), file="a.zip").read("bomb")


def test_many_names_for_the_same_bytes_are_counted_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "MAX_EXPANDED_BYTES", 5000)
    archive = Archive(write_zip(tmp_path / "a.zip", {"a": b"x" * 2000}).read_bytes(), file="a.zip")
    archive.read("a")
    archive.read("a")
    with pytest.raises(TooLargeError, match=r"a\.zip is too large: its parts expand to more than"):
        archive.read("a")


def test_an_encrypted_part_is_said_so(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a": b"x"})
    content = bytearray(path.read_bytes())
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(magic) + offset] |= 1
    with pytest.raises(EncryptedDocumentError, match="its part a needs a password"):
        Archive(bytes(content), file="a.zip").read("a")


def test_a_compression_that_is_not_known_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"x")
    content = bytearray(path.read_bytes())
    for magic, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        content[content.index(magic) + offset] = 97
    with pytest.raises(DamagedDocumentError, match="its part a is broken"):
        Archive(bytes(content), file="a.zip").read("a")
