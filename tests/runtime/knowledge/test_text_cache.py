"""Extracted texts and file hashes, kept so that nothing is read twice."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from satchel.runtime.knowledge.documents import ExtractedText, Heading
from satchel.runtime.knowledge.text_cache import FileHashes, TextCache

SHA = "ab" * 32
TEXT = ExtractedText("text/markdown", "# Tide\n\nHigh.", (0, 8), ("i", "ii"), (Heading(2, 6, 1),), ("a picture",))


@pytest.fixture
def texts(tmp_path: Path) -> TextCache:
    return TextCache(tmp_path / "texts")


@pytest.fixture
def counted(tmp_path: Path) -> Path:
    path = tmp_path / "tides.md"
    path.write_text("high")
    return path


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_text_comes_back_as_it_was(texts):
    texts.put(SHA, ".md", TEXT)

    assert texts.get(SHA, ".md") == TEXT
    assert texts.get(SHA, ".MD") == TEXT


def test_the_suffix_counts_because_it_decides_how_a_file_is_read(texts):
    texts.put(SHA, ".md", TEXT)

    assert texts.get(SHA, ".txt") is None
    assert texts.get("cd" * 32, ".md") is None


def test_a_damaged_entry_counts_as_absent(texts, tmp_path):
    texts.put(SHA, ".md", TEXT)
    (path,) = (tmp_path / "texts").rglob("*.msgpack")
    path.write_bytes(path.read_bytes()[:-3])

    assert texts.get(SHA, ".md") is None


def test_a_hash_is_that_of_the_files_bytes(counted, tmp_path):
    assert FileHashes(tmp_path / "hashes.json").sha256(counted) == sha256("high")


def test_a_changed_file_is_hashed_again(counted, tmp_path):
    hashes = FileHashes(tmp_path / "hashes.json")
    hashes.sha256(counted)
    hashes.save()
    counted.write_text("low ")

    assert FileHashes(tmp_path / "hashes.json").sha256(counted) == sha256("low ")


def test_bytes_changed_behind_an_old_time_of_modification_are_noticed(counted, tmp_path):
    hashes = FileHashes(tmp_path / "hashes.json")
    hashes.sha256(counted)
    hashes.save()
    state = counted.stat()
    counted.write_text("low!")
    os.utime(counted, ns=(state.st_atime_ns, state.st_mtime_ns))

    assert FileHashes(tmp_path / "hashes.json").sha256(counted) == sha256("low!")


def test_an_unchanged_file_is_not_read_again(counted, tmp_path):
    hashes = FileHashes(tmp_path / "hashes.json")
    hashes.sha256(counted)
    hashes.save()
    content = (tmp_path / "hashes.json").read_bytes()
    (tmp_path / "hashes.json").write_bytes(content.replace(sha256("high").encode(), b"0" * 64))

    assert FileHashes(tmp_path / "hashes.json").sha256(counted) == "0" * 64


def test_hashes_of_files_that_are_gone_are_forgotten(counted, tmp_path):
    other = tmp_path / "other.md"
    other.write_text("x")
    hashes = FileHashes(tmp_path / "hashes.json")
    hashes.sha256(counted)
    hashes.sha256(other)
    hashes.save()

    later = FileHashes(tmp_path / "hashes.json")
    later.sha256(counted)
    later.save()

    assert str(other) not in (tmp_path / "hashes.json").read_text()


@pytest.mark.parametrize("content", [b"", b"{", b'{"a": 1}', b"[]", b"\xff"])
def test_a_damaged_file_of_hashes_costs_the_time_to_hash_again(counted, tmp_path, content):
    (tmp_path / "hashes.json").write_bytes(content)

    assert FileHashes(tmp_path / "hashes.json").sha256(counted) == sha256("high")


def test_a_name_that_is_no_text_can_be_kept(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.md"))
    path.write_text("high")
    hashes = FileHashes(tmp_path / "hashes.json")
    hashes.sha256(path)
    hashes.save()
    (tmp_path / "hashes.json").write_bytes(
        (tmp_path / "hashes.json").read_bytes().replace(sha256("high").encode(), b"0" * 64)
    )

    assert FileHashes(tmp_path / "hashes.json").sha256(path) == "0" * 64


def test_a_file_that_cannot_be_read_raises(tmp_path):
    with pytest.raises(FileNotFoundError):
        FileHashes(tmp_path / "hashes.json").sha256(tmp_path / "missing.md")
