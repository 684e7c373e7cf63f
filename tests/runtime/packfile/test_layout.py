from __future__ import annotations

import io
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.packfile.layout import ALIGNMENT, MIMETYPE_CONTENT, lay_out, planned_size
from satchel.runtime.packfile.schema_v1 import Entry

CONTENTS = st.dictionaries(
    st.sampled_from(["README.txt", "knowledge/pages.npy", "knowledge/passages.npy", "actions/ü.openapi.json", "x"]),
    st.binary(max_size=200),
)


def assemble(manifest, contents, signature=None):
    table = [
        Entry(name=name, size=len(content), crc32=f"{zlib.crc32(content):08x}", sha256="0" * 64)
        for name, content in contents.items()
    ]
    layout = lay_out(manifest, table, signature)
    bodies = [MIMETYPE_CONTENT, manifest, *contents.values(), *([] if signature is None else [signature])]
    parts = [placement.header + body for placement, body in zip(layout.placements, bodies, strict=True)]
    return layout, b"".join(parts) + layout.tail


@given(st.binary(max_size=100), CONTENTS, st.none() | st.binary(max_size=100))
def test_pythons_zipfile_finds_every_entry_where_the_layout_says(manifest, contents, signature):
    layout, content = assemble(manifest, contents, signature)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [placement.name for placement in layout.placements]
        for info, placement in zip(archive.infolist(), layout.placements, strict=True):
            start = placement.content_offset
            assert info.header_offset == placement.offset
            assert archive.read(info.filename) == content[start : start + placement.size]
            assert (info.compress_type, info.extra, info.comment) == (zipfile.ZIP_STORED, b"", b"")
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
    assert len(content) == layout.size


@given(CONTENTS)
def test_arrays_begin_on_a_border_with_the_smallest_padding(contents):
    layout, _ = assemble(b"{}", contents)
    for placement in layout.placements:
        extra = placement.header[30 + len(placement.name.encode()) :]
        if placement.name.endswith(".npy"):
            assert placement.content_offset % ALIGNMENT == 0
            assert extra == b"" or extra[:2] == b"st"
            assert extra == b"" or int.from_bytes(extra[2:4], "little") == len(extra) - 4 < ALIGNMENT
            assert not any(extra[4:])
        else:
            assert extra == b""


@pytest.mark.parametrize("name_bytes", range(64))
def test_padding_is_absent_or_at_least_a_whole_record(name_bytes):
    layout, _ = assemble(b"x" * name_bytes, {"knowledge/pages.npy": b""})
    placement = layout.placements[-1]
    extra = len(placement.header) - 30 - len(placement.name)
    assert placement.content_offset % ALIGNMENT == 0
    assert extra == 0 or 4 <= extra < ALIGNMENT + 4


@given(CONTENTS)
def test_utf8_is_flagged_exactly_when_a_name_is_not_ascii(contents):
    _, content = assemble(b"{}", contents)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for info in archive.infolist():
            assert info.flag_bits == (0 if info.filename.isascii() else 1 << 11)


@given(st.binary(max_size=100), CONTENTS)
def test_the_planned_size_is_never_too_small(manifest, contents):
    layout, _ = assemble(manifest, contents)
    planned = planned_size(len(manifest), [(name, len(content)) for name, content in contents.items()])
    assert layout.size <= planned <= layout.size + 68 * len(contents)
