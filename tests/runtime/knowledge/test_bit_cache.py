"""Bits of large packs: derived once, mapped afterwards, derived anew when their file is not as it was written."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from helpers.kernel_inputs import make_rows

from satchel.kernels import ops
from satchel.runtime.knowledge.bit_cache import FEWEST_ROWS, BitCache

PACK = "ab" * 32
OTHER = "cd" * 32


@pytest.fixture
def rows() -> ops.QuantisedRows:
    return ops.quantise(make_rows(1003, 70))


@pytest.fixture
def cache(tmp_path: Path) -> BitCache:
    return BitCache(tmp_path / "bits")


def bits_of(cache: BitCache, rows: ops.QuantisedRows, pack: str = PACK) -> ops.BitRows:
    bits = cache.with_bits(rows, pack, fewest=1).bits
    assert bits is not None
    return bits


def assert_right(bits: ops.BitRows, rows: ops.QuantisedRows) -> None:
    expected = ops.derive_bits(rows.high, rows.low, rows.scale)
    assert bits.bits.tobytes() == expected.bits.tobytes()
    assert bits.factors.tobytes() == expected.factors.tobytes()
    assert bits.centre.tobytes() == expected.centre.tobytes()


def only_file(tmp_path: Path) -> Path:
    (path,) = (tmp_path / "bits").glob("*.bits")
    return path


def test_bits_are_what_the_kernels_derive_and_are_mapped_from_a_file_of_the_packs_name(cache, rows, tmp_path):
    first = bits_of(cache, rows)
    assert_right(first, rows)
    assert only_file(tmp_path).name == f"{PACK}.bits"
    for array in (first.bits, first.factors, first.centre):
        assert not array.flags.writeable
        assert not array.flags.owndata
        assert array.ctypes.data % 64 == 0


def test_the_second_run_reads_no_planes_and_writes_nothing(cache, rows, tmp_path):
    bits_of(cache, rows)
    before = only_file(tmp_path).stat()
    blank = ops.QuantisedRows(np.zeros_like(rows.high), np.zeros_like(rows.low), np.zeros_like(rows.scale))

    assert_right(bits_of(cache, blank), rows)  # bits of the blank planes would be others
    assert only_file(tmp_path).stat().st_mtime_ns == before.st_mtime_ns
    assert only_file(tmp_path).stat().st_ino == before.st_ino


def test_below_the_threshold_the_high_plane_is_scanned_and_nothing_is_written(cache, rows, tmp_path):
    assert cache.with_bits(rows, PACK) is rows
    assert cache.with_bits(rows, PACK, fewest=1004) is rows
    assert cache.with_bits(rows, PACK, fewest=1003).bits is not None
    assert FEWEST_ROWS == 100_000
    assert len(list((tmp_path / "bits").iterdir())) == 2


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def lose_the_note(path: Path) -> None:
    path.with_suffix(".json").unlink()


def spoil_the_note(path: Path) -> None:
    path.with_suffix(".json").write_bytes(b"{]")


def copy_in_its_place(path: Path) -> None:
    copy = path.with_suffix(".copy")
    copy.write_bytes(path.read_bytes())
    copy.replace(path)


@pytest.mark.parametrize(
    "damage", [cut_short, flip_a_bit, empty, Path.unlink, lose_the_note, spoil_the_note, copy_in_its_place]
)
def test_a_file_that_is_not_as_it_was_written_is_derived_anew(damage, cache, rows, tmp_path):
    bits_of(cache, rows)
    damage(only_file(tmp_path))

    assert_right(bits_of(cache, rows), rows)
    blank = ops.QuantisedRows(np.zeros_like(rows.high), np.zeros_like(rows.low), np.zeros_like(rows.scale))
    assert_right(bits_of(cache, blank), rows)  # what was derived anew was kept


def test_a_file_of_another_version_is_derived_anew(cache, rows, monkeypatch):
    bits_of(cache, rows)
    monkeypatch.setattr("satchel.runtime.knowledge.bit_cache.VERSION", 2)
    blank = ops.QuantisedRows(np.zeros_like(rows.high), np.zeros_like(rows.low), np.zeros_like(rows.scale))

    assert_right(bits_of(cache, blank), blank)


def test_rows_of_another_number_or_pack_get_bits_of_their_own(cache, rows):
    bits_of(cache, rows)
    fewer = ops.quantise(make_rows(800, 70))

    assert_right(bits_of(cache, fewer, OTHER), fewer)
    assert_right(bits_of(cache, fewer), fewer)


def test_where_nothing_can_be_written_bits_are_kept_in_memory(rows, tmp_path):
    (tmp_path / "bits").write_text("a file where the folder should be")

    assert_right(bits_of(BitCache(tmp_path / "bits"), rows), rows)


def test_the_files_sizes_are_counted_and_the_one_opened_longest_ago_goes_first(rows, tmp_path):
    cache = BitCache(tmp_path / "bits")
    for pack in (PACK, OTHER):
        bits_of(cache, rows, pack)
    size = only_size(tmp_path)
    assert cache.bytes_used() == 2 * size
    derived = bits_of(cache, rows)
    assert 64 <= size - sum(a.nbytes for a in (derived.bits, derived.factors, derived.centre)) < 64 * 4
    long_ago = 1_000_000_000
    os.utime(tmp_path / "bits" / f"{OTHER}.json", ns=(long_ago, long_ago))

    narrow = BitCache(tmp_path / "bits", capacity=2 * size)
    bits_of(narrow, rows, "ef" * 32)

    assert sorted(path.stem[:2] for path in (tmp_path / "bits").glob("*.bits")) == ["ab", "ef"]
    assert narrow.bytes_used() == 2 * size


def only_size(tmp_path: Path) -> int:
    (size,) = {path.stat().st_size for path in (tmp_path / "bits").glob("*.bits")}
    return size


def test_forgetting_a_pack_drops_its_files(cache, rows, tmp_path):
    bits_of(cache, rows)
    cache.forget(PACK)
    cache.forget(OTHER)
    assert list((tmp_path / "bits").iterdir()) == []


def test_bits_of_more_than_a_hundred_thousand_rows_find_what_the_planes_find(cache):
    """Vectors in clusters, as texts' are; the ten nearest by both planes are the truth."""
    random = np.random.default_rng(7)
    centres = random.standard_normal((500, 64), np.float32)
    values = centres[random.integers(0, 500, FEWEST_ROWS)] + random.standard_normal((FEWEST_ROWS, 64), np.float32)
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    rows = ops.quantise(values)
    queries = values[:: FEWEST_ROWS // 20]

    found = ops.search(cache.with_bits(rows, PACK), queries, 10, rescore=1000)[1]

    exact = np.argsort(-(queries @ values.T), axis=1, kind="stable")[:, :10]
    hits = [len(set(a) & set(b)) for a, b in zip(found.tolist(), exact.tolist(), strict=True)]
    assert sum(hits) / exact.size >= 0.99
