"""Nothing is embedded twice, and nobody but this machine puts a vector into its cache."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing

import msgspec
import numpy as np
import pytest
from helpers.harbour import TIDES as HARBOUR_TIDES
from helpers.harbour import embedded_here
from helpers.packs import write_knowing_pack
from helpers.project_folders import write_project

from satchel.kernels import ops
from satchel.kernels.arrays import QuantisedRows
from satchel.runtime.commands.build import build_pack
from satchel.runtime.commands.index import index_project
from satchel.runtime.commands.install import install
from satchel.runtime.commands.unpack import unpack
from satchel.runtime.knowledge.embedders.vector_cache import VectorCache
from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint

MODEL = EmbedderFingerprint("model", "1" * 64, 16, "mean", 64)
TIDES = "# Tides\n\nThe tide rises twice a day.\n\nThe moon pulls the water."


def rows_of(count: int, seed: int = 1) -> QuantisedRows:
    vectors = np.random.default_rng(seed).normal(size=(count, MODEL.dimension)).astype(np.float32)
    return ops.quantise(vectors)


def same(first: QuantisedRows, second: QuantisedRows) -> bool:
    return all(
        np.array_equal(getattr(first, name), getattr(second, name)) and getattr(first, name).dtype == dtype
        for name, dtype in (("high", np.int8), ("low", np.int8), ("scale", np.float32))
    )


@pytest.fixture
def cache(home) -> VectorCache:
    return VectorCache(home)


def test_rows_come_back_to_the_bit_and_in_the_order_of_the_texts(cache):
    rows = rows_of(5)
    cache.put(["a", "b", "c", "d", "e"], rows, MODEL)
    places, found = cache.find(["x", "e", "b", "", "b"], MODEL)
    assert places == [1, 2, 4]
    assert same(found, QuantisedRows(rows.high[[4, 1, 1]], rows.low[[4, 1, 1]], rows.scale[[4, 1, 1]]))


def test_what_is_not_known_is_nothing_of_the_right_shape(cache):
    places, found = cache.find(["a"], MODEL)
    assert places == []
    assert found.high.shape == found.low.shape == (0, 16)
    assert cache.find([], MODEL)[0] == []


@pytest.mark.parametrize(
    "change",
    [
        {"weights_sha256": "2" * 64},
        {"pooling": "cls"},
        {"max_tokens": 32},
        {"query_prefix": "q"},
        {"passage_prefix": "p"},
        {"name": "other"},
        {"dimension": 8},
    ],
)
def test_every_model_has_rows_of_its_own(cache, change):
    cache.put(["a"], rows_of(1), MODEL)
    assert cache.find(["a"], msgspec.structs.replace(MODEL, **change))[0] == []


def test_more_texts_than_one_query_takes_are_found(cache):
    texts = [f"text {number}" for number in range(1203)]
    rows = rows_of(len(texts))
    cache.put(texts, rows, MODEL)
    places, found = cache.find(texts, MODEL)
    assert places == list(range(len(texts)))
    assert same(found, rows)


def test_texts_that_are_no_valid_unicode_are_no_error(cache):
    texts = ["a\0b", "😀", "\ufffe"]
    cache.put(texts, rows_of(3), MODEL)
    assert cache.find(texts, MODEL)[0] == [0, 1, 2]


@pytest.mark.parametrize("content", [b"", b"hello", b"SQLite format 3\0" + bytes(200)])
def test_a_file_that_is_no_database_is_begun_anew(cache, home, content):
    path = home.cache / "vectors.sqlite3"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    assert cache.find(["a"], MODEL)[0] == []
    cache.put(["a"], rows_of(1), MODEL)
    assert cache.find(["a"], MODEL)[0] == [0]


def test_a_database_damaged_in_its_middle_is_begun_anew(cache, home):
    texts = [f"text {number}" for number in range(400)]
    cache.put(texts, rows_of(400), MODEL)
    path = home.cache / "vectors.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(path.read_bytes())
    content[4096:-4096] = os.urandom(len(content) - 8192)
    path.write_bytes(content)
    cache.find(texts, MODEL)
    cache.put(["a"], rows_of(1), MODEL)
    cache.put(["a"], rows_of(1), MODEL)
    places, found = cache.find(["a"], MODEL)
    assert places == [0]
    assert same(found, rows_of(1))


def test_a_table_of_another_version_is_begun_anew(cache, home):
    cache.put(["a"], rows_of(1), MODEL)
    with closing(sqlite3.connect(home.cache / "vectors.sqlite3")) as connection:
        connection.execute("PRAGMA user_version = 99")
    assert cache.find(["a"], MODEL)[0] == []


def test_a_row_of_the_wrong_size_is_not_used(cache, home):
    cache.put(["a", "b"], rows_of(2), MODEL)
    with closing(sqlite3.connect(home.cache / "vectors.sqlite3")) as connection:
        connection.execute("UPDATE vectors SET row = x'00' WHERE rowid = 1")
        connection.commit()
    assert len(cache.find(["a", "b"], MODEL)[0]) == 1


def test_a_cache_that_cannot_be_written_is_no_error(home):
    home.cache.parent.mkdir(parents=True, exist_ok=True)
    home.cache.write_text("a file where the folder should be")
    cache = VectorCache(home)
    cache.put(["a"], rows_of(1), MODEL)
    assert cache.find(["a"], MODEL)[0] == []


def test_above_its_capacity_those_unused_for_longest_go(home):
    cache = VectorCache(home, capacity=200_000)
    old, new = [f"old {number}" for number in range(500)], [f"new {number}" for number in range(2500)]
    cache.put(old, rows_of(len(old)), MODEL)
    with closing(sqlite3.connect(home.cache / "vectors.sqlite3")) as connection:
        connection.execute("UPDATE vectors SET used = 1")
        connection.commit()
    cache.find(old[:50], MODEL)  # used today
    cache.put(new, rows_of(len(new)), MODEL)
    assert set(cache.find(old, MODEL)[0]) <= set(range(50))
    kept = len(cache.find([*old, *new], MODEL)[0])
    assert 0 < kept < len(old) + len(new)


def test_several_threads_write_and_read_at_once(home):
    def work(number: int) -> None:
        cache = VectorCache(home)
        texts = [f"{number} {text}" for text in range(50)]
        for start in range(0, 50, 10):
            cache.put(texts[start : start + 10], QuantisedRows(*rows_part(start)), MODEL)
        found.append(len(cache.find(texts, MODEL)[0]))

    def rows_part(start: int):
        rows = rows_of(50)
        return rows.high[start : start + 10], rows.low[start : start + 10], rows.scale[start : start + 10]

    found: list[int] = []
    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [50] * 4


def test_forgetting_everything_leaves_no_file(cache, home):
    cache.put(["a"], rows_of(1), MODEL)
    cache.clear()
    assert list(home.cache.iterdir()) == []


def test_a_second_project_with_the_same_text_embeds_nothing(tmp_path, stranger):
    one = write_project(tmp_path / "one", files={"knowledge/a.md": TIDES})
    index_project(one, stranger)
    count = embedded_here(stranger)
    assert count > 0
    used = when_written(stranger)
    two = write_project(tmp_path / "two", files={"knowledge/other.md": TIDES})
    index_project(two, stranger)
    assert embedded_here(stranger) == count
    assert when_written(stranger) == used


def when_written(home) -> list[tuple]:
    """The cache's rows; `INSERT OR REPLACE` would give a replaced one another number."""
    with closing(sqlite3.connect(home.cache / "vectors.sqlite3")) as connection:
        return connection.execute("SELECT rowid, key FROM vectors ORDER BY rowid").fetchall()


def test_a_rebuild_embeds_everything_anew(tmp_path, stranger):
    folder = write_project(tmp_path / "one", files={"knowledge/a.md": TIDES})
    index_project(folder, stranger)
    before = when_written(stranger)
    with closing(sqlite3.connect(stranger.cache / "vectors.sqlite3")) as connection:
        rows = connection.execute("SELECT key, row FROM vectors ORDER BY key").fetchall()
        connection.execute("UPDATE vectors SET row = zeroblob(length(row))")
        connection.commit()
    index_project(folder, stranger, rebuild=True)
    assert when_written(stranger) != before
    with closing(sqlite3.connect(stranger.cache / "vectors.sqlite3")) as connection:
        assert connection.execute("SELECT key, row FROM vectors ORDER BY key").fetchall() == rows


def test_a_strangers_pack_plants_no_vector(tmp_path, harbour, stranger):
    install(harbour.pack, stranger)
    install(write_knowing_pack(tmp_path / "tiny.pack"), stranger)
    unpack(harbour.pack, tmp_path / "again")
    index_project(tmp_path / "again", stranger)
    build_pack(tmp_path / "again", None, stranger)
    assert embedded_here(stranger) == 0


def test_a_packs_vectors_serve_no_other_project_with_the_same_texts(tmp_path, harbour, stranger):
    unpack(harbour.pack, tmp_path / "again")
    index_project(tmp_path / "again", stranger)
    own = write_project(tmp_path / "own", files={"knowledge/tides.md": HARBOUR_TIDES})
    assert index_project(own, stranger).passages == embedded_here(stranger) > 0
