"""Arrays that would run code, or let the search read outside its maps."""

from __future__ import annotations

import io
from itertools import pairwise

import numpy as np
import pytest
from helpers.packs import contents_of, forge_pack, knowing_manifest, write_knowing_pack
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.lib import format as npy

from satchel.runtime.packfile import names
from satchel.runtime.packfile.errors import DamagedPackError
from satchel.runtime.packfile.knowledge_check import check_knowledge
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.packfile.store import PackStore


@pytest.fixture
def contents(tmp_path):
    return contents_of(write_knowing_pack(tmp_path / "sound.pack"))


def refuse(tmp_path, contents, name):
    path = forge_pack(tmp_path / "spoiled.pack", knowing_manifest(), contents)
    with open_pack(path, verify=True) as pack:
        with pytest.raises(DamagedPackError):
            pack.array(name)
        with pytest.raises(DamagedPackError) as caught:
            check_knowledge(pack)
    return caught.value.fields["reason"]


def header(text):
    """An npy 1.0 header of 128 bytes around a dictionary's text."""
    return b"\x93NUMPY\x01\x00\x76\x00" + text.encode().ljust(117) + b"\n"


def test_a_pickle_is_never_loaded(tmp_path, contents):
    written = io.BytesIO()
    npy.write_array(written, np.array([None] * 4, object), allow_pickle=True)
    contents[names.BM25_LENGTHS] = written.getvalue()
    assert "its npy header is not in canonical form" in refuse(tmp_path, contents, names.BM25_LENGTHS)


@pytest.mark.parametrize(
    "text",
    [
        "{'descr': '<u4', 'fortran_order': False, 'shape': (__import__('os').getpid(), 5), }",
        "{'descr': '<u4', 'fortran_order': False, 'shape': (4, 5), 'x': open('x', 'w'), }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (4, 5), }",
        "{'descr': [('a', '<u4')], 'fortran_order': False, 'shape': (4, 5), }",
        "{'descr': '>u4', 'fortran_order': False, 'shape': (4, 5), }",
        "{'descr': '<u4', 'fortran_order': True, 'shape': (4, 5), }",
        "{'descr': '<u4', 'fortran_order': False, 'shape': (-4, -5), }",
        "{'descr': '<u4', 'fortran_order': False, 'shape': (4294967296, 5), }",
        "{'descr': '<u4', 'fortran_order': False, 'shape': (3689348814741910324, 5), }",
        "{'descr': '<u4', 'fortran_order': False, 'shape': (4, 5, 1), }",
        "{'descr': '<u4', 'fortran_order': False, 'shape': (), }",
        "{'descr': '<u4', 'fortran_order': False, 'shape': (4,5), }",
        "{'descr': '<u4', 'shape': (4, 5), 'fortran_order': False, }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 5), }",
        "{" * 100,
    ],
)
def test_a_header_is_compared_and_never_evaluated(tmp_path, contents, text):
    contents[names.PASSAGES] = header(text) + contents[names.PASSAGES][128:]
    assert refuse(tmp_path, contents, names.PASSAGES).startswith("knowledge/passages.npy: ")


@pytest.mark.parametrize("cut", [0, 1, 10, 127, 128, 150])
def test_an_array_shorter_than_its_header_says_is_refused(tmp_path, contents, cut):
    contents[names.PASSAGES] = contents[names.PASSAGES][:cut]
    refuse(tmp_path, contents, names.PASSAGES)


def test_an_array_longer_than_its_header_says_is_refused(tmp_path, contents):
    contents[names.PASSAGES] += bytes(20)
    refuse(tmp_path, contents, names.PASSAGES)


def test_npy_version_2_is_refused(tmp_path, contents):
    written = io.BytesIO()
    npy.write_array(written, np.zeros((4, 5), np.uint32), version=(2, 0))
    contents[names.PASSAGES] = written.getvalue()
    refuse(tmp_path, contents, names.PASSAGES)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (names.BM25_PASSAGES, 2**32 - 1),
        (names.BM25_POSTINGS, 2**63),
        (names.BM25_TERM_STARTS, 2**31),
        (names.PASSAGES, 2**32 - 1),
    ],
)
def test_offsets_outside_what_they_point_into_are_not_installed(tmp_path, home, contents, name, value):
    content = bytearray(contents[name])
    width = 8 if name == names.BM25_POSTINGS else 4
    content[-width:] = value.to_bytes(width, "little")
    contents[name] = bytes(content)
    path = forge_pack(tmp_path / "spoiled.pack", knowing_manifest(), contents)
    with pytest.raises(DamagedPackError, match=r"spoiled\.pack is damaged"):
        PackStore(home).install(path)
    with pytest.raises(DamagedPackError):
        PackStore(home).verify_once(path)
    assert PackStore(home).list() == ()


def test_a_million_rows_claimed_by_a_few_bytes_are_never_allocated(tmp_path, contents):
    import tracemalloc

    contents[names.PASSAGES] = header("{'descr': '<u4', 'fortran_order': False, 'shape': (200000000, 5), }")
    path = forge_pack(tmp_path / "spoiled.pack", knowing_manifest(), contents)
    with open_pack(path, verify=True) as pack:
        tracemalloc.start()
        with pytest.raises(DamagedPackError, match="does not fit its 128 bytes"):
            check_knowledge(pack)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 1 << 20


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_knowledge_of_any_bytes_is_refused_in_words_or_safe_to_map(tmp_path, contents, data):
    """Checksums are right; whatever is accepted must be within bounds by a check of its own."""
    spoiled = dict(contents)
    for _ in range(data.draw(st.integers(1, 3))):
        name = data.draw(st.sampled_from([name for name in spoiled if name.startswith("knowledge/")]))
        content = bytearray(spoiled[name])
        place = data.draw(st.integers(0, len(content) - 1))
        new = data.draw(st.binary(min_size=1, max_size=8))
        content[place : place + len(new)] = new
        spoiled[name] = bytes(content)
    path = forge_pack(tmp_path / "spoiled.pack", knowing_manifest(), spoiled)
    with open_pack(path, verify=True) as pack:
        try:
            check_knowledge(pack)
        except DamagedPackError:
            return
        text = bytes(pack.view(names.TEXT))
        for _, first, end, start, stop in pack.array(names.PASSAGES).tolist():
            assert len(text[first:end].decode()) == stop - start
        starts, postings = pack.array(names.BM25_TERM_STARTS), pack.array(names.BM25_POSTINGS)
        terms = bytes(pack.view(names.BM25_TERMS))
        found = [terms[a:b] for a, b in pairwise(starts.tolist())]
        assert found == sorted(set(found))
        assert b"".join(found) == terms
        assert pack.array(names.BM25_PASSAGES).max() < len(pack.array(names.PASSAGES))
        assert postings[-1] == len(pack.array(names.BM25_PASSAGES))
        planes = [pack.array(name) for name in (names.VECTORS_HIGH, names.VECTORS_LOW)]
        values = pack.array(names.VECTORS_SCALE)[:, None] * (planes[0] + planes[1] / 254)
        assert np.abs(np.linalg.norm(values, axis=1) - 1).max() < 0.02
