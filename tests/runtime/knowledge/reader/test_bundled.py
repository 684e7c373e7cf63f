from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from satchel.runtime.knowledge.embedders.block8 import read_block8, write_block8
from satchel.runtime.knowledge.embedders.bundled import bundled_embedder, fastest_weight_type
from satchel.runtime.knowledge.embedders.gguf_file import WeightType
from satchel.runtime.knowledge.reader.bundled import (
    CALIBRATION,
    TENSORS_KEY,
    WEIGHTS,
    installed_folder,
    load_reader,
    runnable_gguf,
    tensors_digest,
)
from satchel.runtime.knowledge.reader.errors import ReaderModelError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped files that a test may damage."""
    made = tmp_path / "reader"
    made.mkdir()
    for name in (WEIGHTS, CALIBRATION):
        shutil.copy(installed_folder() / name, made / name)
    return made


def test_the_gguf_is_written_once_and_found_again(home):
    path = runnable_gguf(home, installed_folder(), bundled_embedder(), WeightType.F16)
    written = path.stat().st_mtime_ns
    assert path.is_relative_to(home.cache)
    assert runnable_gguf(home, installed_folder(), bundled_embedder(), WeightType.F16) == path
    assert path.stat().st_mtime_ns == written
    assert [found for found in path.parent.iterdir() if found.suffix == ".gguf"] == [path]


@pytest.mark.parametrize("damage", ["cut short", "overwritten", "gone"])
def test_a_gguf_that_was_damaged_in_the_cache_is_written_anew(home, damage):
    path = runnable_gguf(home, installed_folder(), bundled_embedder(), WeightType.F16)
    whole = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(whole[: len(whole) // 2] if damage == "cut short" else whole[:-64] + bytes(64))

    assert runnable_gguf(home, installed_folder(), bundled_embedder(), WeightType.F16) == path

    assert path.read_bytes() == whole


def test_a_gguf_that_was_damaged_unseen_is_written_anew_when_it_cannot_be_loaded(home):
    path = runnable_gguf(home, installed_folder(), bundled_embedder(), fastest_weight_type())
    whole, stat = path.read_bytes(), path.stat()
    path.write_bytes(b"none" + whole[4:])
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    reader = load_reader(home, threads=1)

    assert path.read_bytes() == whole
    assert reader.read("Who keeps the lock?", ["The lock keeper is Wilma Janssen."]).best == 0
    reader.close()


def test_other_weights_have_another_gguf(home, folder):
    tensors = read_block8(folder / WEIGHTS)
    tensors["encoder.layer.0.output.dense.bias"] += 0.5
    with (folder / WEIGHTS).open("wb") as file:
        write_block8(file, tensors, {TENSORS_KEY: tensors_digest(tensors)})
    embedder = bundled_embedder()
    ours = runnable_gguf(home, installed_folder(), embedder, WeightType.F16)
    assert runnable_gguf(home, folder, embedder, WeightType.F16) != ours


def test_the_digest_tells_tensors_apart_by_name_and_value():
    one = np.ones(4, np.float32)
    digests = {tensors_digest({"a": one}), tensors_digest({"b": one}), tensors_digest({"a": one * 2})}
    assert len(digests) == 3


def test_weights_that_are_cut_short_are_named(home, folder):
    whole = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ReaderModelError, match=WEIGHTS):
        load_reader(home, folder=folder)


@pytest.mark.parametrize("lost", ["head.start.weight", "encoder.layer.5.output.dense.bias"])
def test_weights_that_lack_a_tensor_are_named_with_it(home, folder, lost):
    tensors = read_block8(folder / WEIGHTS)
    del tensors[lost]
    with (folder / WEIGHTS).open("wb") as file:
        write_block8(file, tensors, {})
    with pytest.raises(ReaderModelError, match=lost.removesuffix(".weight")):
        load_reader(home, folder=folder)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"answers": [1, 2]}'])
def test_a_calibration_that_cannot_be_read_is_named(home, folder, content):
    (folder / CALIBRATION).write_bytes(content)
    with pytest.raises(ReaderModelError, match=CALIBRATION):
        load_reader(home, folder=folder)


def test_the_tracked_file_holds_only_what_was_trained(folder):
    assert (folder / WEIGHTS).stat().st_size < 11.5e6
