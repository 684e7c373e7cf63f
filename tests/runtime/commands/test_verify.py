from __future__ import annotations

import os

import pytest
from helpers.packs import contents_of, forge_pack, knowing_manifest, sign, write_knowing_pack, write_plain_pack

from satchel.runtime.commands.verify import verify
from satchel.runtime.packfile import names
from satchel.runtime.packfile.errors import DamagedPackError, PackChangedError
from satchel.runtime.packfile.knowledge_check import KnowledgeCounts
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.packfile.schema_v1 import Signature


def test_a_sound_pack_is_told_with_its_counts(tmp_path):
    path = write_knowing_pack(tmp_path / "a.pack")
    told = verify(path)
    with open_pack(path, verify=True) as pack:
        assert (told.pack_id, told.entries) == (pack.pack_id, len(pack.names))
    assert (told.name, told.version, told.author, told.signature) == ("Tide tutor", "1.0.0", "A. Author", "unsigned")
    assert (told.knowledge.files, told.knowledge.passages, told.knowledge.dimension) == (2, 4, 8)
    assert told.size == path.stat().st_size


def test_a_pack_without_knowledge_is_sound(tmp_path):
    assert verify(write_plain_pack(tmp_path / "a.pack")).knowledge == KnowledgeCounts()


def test_a_signature_is_told_but_not_judged(tmp_path):
    path = sign(write_plain_pack(tmp_path / "a.pack"), Signature(algorithm="ed25519", key="a", signature="b"))
    assert verify(path).signature == "unchecked"


@pytest.mark.parametrize("name", ["instructions.md", names.TEXT, names.VECTORS_HIGH, names.BM25_COUNTS])
def test_the_entry_that_is_damaged_is_named(tmp_path, name):
    path = write_knowing_pack(tmp_path / "a.pack")
    with open_pack(path, verify=False) as pack:
        offset, size = pack.location(name)
    content = bytearray(path.read_bytes())
    content[offset + size - 1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedPackError, match=f"{name} does not match its checksum"):
        verify(path)


def test_knowledge_that_points_out_of_bounds_is_refused_though_its_checksums_are_right(tmp_path):
    contents = contents_of(write_knowing_pack(tmp_path / "a.pack"))
    spoiled = bytearray(contents[names.BM25_PASSAGES])
    spoiled[-4:] = b"\xff" * 4
    contents[names.BM25_PASSAGES] = bytes(spoiled)
    with pytest.raises(DamagedPackError, match="is past the 4 passages"):
        verify(forge_pack(tmp_path / "b.pack", knowing_manifest(), contents))


def test_a_pack_that_changes_while_it_is_verified_is_no_sound_pack(tmp_path):
    path = write_knowing_pack(tmp_path / "a.pack")
    with pytest.raises(PackChangedError):
        verify(path, progress=lambda *_: os.utime(path, ns=(1, 1)))


def test_all_of_the_file_is_read_every_time(tmp_path):
    path = write_plain_pack(tmp_path / "a.pack")
    for _ in range(2):
        seen = []
        verify(path, progress=lambda stage, done, total, seen=seen: seen.append((stage, done, total)))
        assert ("verifying the pack", path.stat().st_size, path.stat().st_size) in seen
