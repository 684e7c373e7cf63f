"""Files that two programs would read differently, or that unpack to more than they are."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest
from helpers.packs import contents_of, forge_pack, manifest, plain_entries, write_knowing_pack, write_plain_pack

from satchel.runtime.packfile.errors import PackError
from satchel.runtime.packfile.layout import MIMETYPE_CONTENT
from satchel.runtime.packfile.opener import open_pack

# Offsets of fields in the three records (APPNOTE 4.3.7, 4.3.12, 4.3.16).
LOCAL = {
    "version": 4,
    "flags": 6,
    "method": 8,
    "time": 10,
    "date": 12,
    "crc": 14,
    "packed": 18,
    "size": 22,
    "extra": 28,
}
DIRECTORY = {
    "made by": 4,
    "version": 6,
    "flags": 8,
    "method": 10,
    "time": 12,
    "date": 14,
    "crc": 16,
    "packed": 20,
    "size": 24,
    "extra": 30,
    "comment": 32,
    "disk": 34,
    "internal": 36,
    "mode": 38,
    "offset": 42,
}
END = {"disk": 4, "start disk": 6, "here": 8, "total": 10, "size": 12, "offset": 16, "comment": 20}


@pytest.fixture
def pack(tmp_path):
    return write_knowing_pack(tmp_path / "a.pack")


def refuse(path, content=None):
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PackError) as caught:
        open_pack(path, verify=True)
    return caught.value.message


def patched(content, offset, value, width=2):
    return content[:offset] + value.to_bytes(width, "little") + content[offset + width :]


def local_headers(path):
    with open_pack(path, verify=True) as opened:
        return [placement.offset for placement in opened.layout.placements]


def directory_of(path):
    with open_pack(path, verify=True) as opened:
        return opened.layout.tail_offset


@pytest.mark.parametrize("field", LOCAL)
def test_no_field_of_any_local_header_is_free(pack, field):
    content = pack.read_bytes()
    for offset in local_headers(pack):
        value = int.from_bytes(content[offset + LOCAL[field] :][:2], "little")
        refuse(pack, patched(content, offset + LOCAL[field], value ^ 1))


@pytest.mark.parametrize("field", DIRECTORY)
def test_no_field_of_the_directory_is_free(pack, field):
    content, offset = pack.read_bytes(), directory_of(pack)
    value = int.from_bytes(content[offset + DIRECTORY[field] :][:2], "little")
    refuse(pack, patched(content, offset + DIRECTORY[field], value ^ 1))


@pytest.mark.parametrize("field", END)
def test_no_field_of_the_end_record_is_free(pack, field):
    content = pack.read_bytes()
    offset = len(content) - 22 + END[field]
    value = int.from_bytes(content[offset:][:2], "little")
    refuse(pack, patched(content, offset, value ^ 1))


def test_a_compressed_bomb_is_never_decompressed(tmp_path):
    """42 KB that any unzip tool would make 42 MB of."""
    path = tmp_path / "bomb.pack"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo("mimetype"), MIMETYPE_CONTENT)
        archive.writestr("manifest.json", bytes(42 << 20), zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 100_000
    refuse(path)


def test_an_honest_pack_compressed_again_is_refused(pack):
    entries = contents_of(pack)
    with zipfile.ZipFile(pack) as archive:
        written = archive.read("manifest.json")
    with zipfile.ZipFile(pack, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("mimetype", (1980, 1, 1, 0, 0, 0)), MIMETYPE_CONTENT, zipfile.ZIP_STORED)
        archive.writestr("manifest.json", written)
        for name, content in entries.items():
            archive.writestr(name, content)
    refuse(pack)


@pytest.mark.parametrize("prefix", [b"#!/bin/sh\nexit\n", b"MZ" + bytes(62), b"\0", b"PK\3\4" + bytes(26)])
def test_nothing_may_stand_in_front(pack, prefix):
    assert "begin" in refuse(pack, prefix + pack.read_bytes()) or "ZIP" in refuse(pack)


@pytest.mark.parametrize("trailer", [b"\0", b"#!/bin/sh\n", b"PK\5\6" + bytes(18), bytes(100_000)])
def test_nothing_may_follow(pack, trailer):
    assert "it has bytes that belong to no entry" in refuse(pack, pack.read_bytes() + trailer)


def test_a_comment_is_refused(pack):
    content = pack.read_bytes()
    refuse(pack, patched(content, len(content) - 2, 5) + b"hello")


def test_a_second_directory_that_other_programs_would_take_is_refused(tmp_path, pack):
    """Some programs look for the last end record, some for the first: both must see the same pack."""
    honest = pack.read_bytes()
    other = write_plain_pack(tmp_path / "other.pack", attribution="something else").read_bytes()
    refuse(pack, honest + other)
    refuse(pack, other + honest)
    refuse(pack, honest[:-22] + other + honest[-22:])


def test_an_entry_that_the_directory_hides_is_refused(pack):
    content, start = pack.read_bytes(), directory_of(pack)
    name_size = struct.unpack_from("<H", content, start + 28)[0]
    first = 46 + name_size
    count = struct.unpack_from("<H", content, len(content) - 22 + 10)[0]
    hidden = bytearray(content[:start] + content[start + first :])
    struct.pack_into("<HHI", hidden, len(hidden) - 22 + 8, count - 1, count - 1, len(content) - 22 - start - first)
    assert len(zipfile.ZipFile(io.BytesIO(bytes(hidden))).namelist()) == count - 1
    refuse(pack, bytes(hidden))


def test_entries_that_overlap_are_refused(pack):
    """Fifield, "A better zip bomb" (WOOT 2019): many directory entries share one body."""
    content, start = pack.read_bytes(), directory_of(pack)
    second = start + 46 + struct.unpack_from("<H", content, start + 28)[0]
    refuse(pack, patched(content, second + DIRECTORY["offset"], 0, width=4))


def test_a_name_that_differs_between_header_and_directory_is_refused(pack):
    content, start = pack.read_bytes(), directory_of(pack)
    place = content.index(b"instructions.md", start)
    refuse(pack, content[:place] + b"Instructions.md" + content[place + 15 :])


def test_a_symbolic_link_is_refused(pack):
    content, start = pack.read_bytes(), directory_of(pack)
    refuse(pack, patched(content, start + DIRECTORY["mode"], 0o120777 << 16, width=4))


@pytest.mark.parametrize(("field", "value"), [("flags", 1), ("flags", 8), ("flags", 1 << 6), ("method", 99)])
def test_encryption_and_data_descriptors_are_refused(pack, field, value):
    content = pack.read_bytes()
    offset = local_headers(pack)[2]
    refuse(pack, patched(content, offset + LOCAL[field], value))


def padding_of(path):
    """Where the first alignment record with zero bytes in it begins, and its whole length."""
    with open_pack(path, verify=True) as opened:
        for placement in opened.layout.placements:
            length = len(placement.header) - 30 - len(placement.name.encode())
            if length > 4:
                return placement.content_offset - length, length
    raise AssertionError


def test_nothing_can_be_hidden_in_the_padding(pack):
    content = pack.read_bytes()
    start, length = padding_of(pack)
    assert not any(content[start + 4 : start + length])
    refuse(pack, patched(content, start + 4, 1, width=1))
    refuse(pack, patched(content, start, 0xCAFE))


def test_longer_padding_that_aligns_too_is_refused(pack):
    content = pack.read_bytes()
    start, length = padding_of(pack)
    longer = patched(content, start + 2, length - 4 + 64)
    refuse(pack, longer[: start + length] + bytes(64) + longer[start + length :])


def test_two_entries_of_one_name_are_refused(tmp_path):
    entries = plain_entries()
    path = forge_pack(
        tmp_path / "a.pack",
        manifest(),
        entries,
        rewrite=lambda content: content.replace(b'"name":"instructions.md"', b'"name":"README.txt"'),
    )
    assert "is not after the name before it" in refuse(path)


def test_zip64_is_refused(tmp_path):
    path = tmp_path / "a.pack"
    with zipfile.ZipFile(path, "w") as archive, archive.open("mimetype", "w", force_zip64=True) as entry:
        entry.write(MIMETYPE_CONTENT)
    refuse(path)
