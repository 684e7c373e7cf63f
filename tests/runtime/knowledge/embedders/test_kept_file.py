"""A file that is made from others is made once, and again when it is no longer what it was."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from satchel.runtime.knowledge.embedders.kept_file import doubt_file, is_as_written, kept_file, note_file

CONTENT = bytes(range(256)) * 64


class Maker:
    """Writes the file and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, path: Path) -> None:
        self.times += 1
        path.write_bytes(CONTENT)


@pytest.fixture
def make() -> Maker:
    return Maker()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "made.gguf"


def changed(path: Path, content: bytes, *, unseen: bool = False) -> None:
    """Overwrite a file; unseen: so that its time does not tell."""
    stat = path.stat()
    path.write_bytes(content)
    step = 0 if unseen else 1_000_000
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + step))


def test_it_is_made_once(make, path):
    for _ in range(3):
        assert kept_file(path, make).read_bytes() == CONTENT
    assert make.times == 1


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], CONTENT + b"x", b"x" + CONTENT[1:]])
def test_other_bytes_are_made_anew(make, path, content):
    kept_file(path, make)
    changed(path, content)
    assert kept_file(path, make).read_bytes() == CONTENT
    assert make.times == 2


def test_the_same_bytes_with_another_time_are_kept_and_hashed_once(make, path, monkeypatch):
    kept_file(path, make)
    changed(path, CONTENT)
    kept_file(path, make)
    monkeypatch.setattr("satchel.runtime.knowledge.embedders.kept_file.sha256_of", lambda _path: pytest.fail("hashed"))
    kept_file(path, make)
    assert make.times == 1


def test_a_copy_with_its_note_is_taken_as_it_is(make, path, tmp_path):
    kept_file(path, make)
    copy = Path(shutil.copytree(tmp_path, tmp_path / "copy")) / path.name
    kept_file(copy, make)
    assert make.times == 1


def test_damage_that_its_time_does_not_tell_is_found_once_the_file_is_doubted(make, path):
    kept_file(path, make)
    changed(path, b"x" + CONTENT[1:], unseen=True)
    assert kept_file(path, make).read_bytes() != CONTENT
    doubt_file(path)
    assert kept_file(path, make).read_bytes() == CONTENT


def test_a_file_that_is_sound_is_doubted_in_vain(make, path):
    kept_file(path, make)
    doubt_file(path)
    kept_file(path, make)
    assert make.times == 1


@pytest.mark.parametrize("note", [b"", b"{", b"[1]", b"\xff", b'{"size": 1}'])
def test_without_a_note_that_can_be_read_it_is_made_anew(make, path, note):
    kept_file(path, make)
    (path.parent / "made.gguf.note").write_bytes(note)
    kept_file(path, make)
    assert make.times == 2


def test_a_file_without_a_note_is_as_the_caller_thinks(path):
    assert not is_as_written(path, unknown=True)
    path.write_bytes(CONTENT)
    doubt_file(path)
    assert is_as_written(path, unknown=True)
    assert not is_as_written(path, unknown=False)
    note_file(path)
    assert is_as_written(path, unknown=False)
