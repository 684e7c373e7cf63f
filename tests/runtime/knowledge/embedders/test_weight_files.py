"""Files of weights: safetensors, the bundled 8-bit form, and the GGUF that is written of them."""

from __future__ import annotations

import struct
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.engine.gguf_header import read_header
from satchel.runtime.knowledge.embedders.block8 import BLOCK, quantise_blocks, read_block8, write_block8
from satchel.runtime.knowledge.embedders.errors import WeightsError
from satchel.runtime.knowledge.embedders.gguf_file import GgufTensor, WeightType, stored, write_gguf
from satchel.runtime.knowledge.embedders.safetensors_file import SafetensorsFile, write_safetensors


def safetensors(path: Path, header: object, content: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else msgspec.json.encode(header)
    path.write_bytes(struct.pack("<Q", len(text)) + text + content)
    return path


def matrix(rows: int, columns: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.3, (rows, columns)).astype(np.float32)


def test_what_is_written_is_read_again_and_equal_input_gives_equal_bytes(tmp_path):
    tensors = {
        "a": matrix(3, 5),
        "half": matrix(2, 2).astype(np.float16),
        "steps": np.array([[-127, 127]], np.int8),
        "empty": np.empty((0, 4), np.float32),
        "one": np.float32([1.5]),
    }
    paths = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    for path in paths:
        with path.open("wb") as file:
            write_safetensors(file, tensors, {"made": "here"})
    assert paths[0].read_bytes() == paths[1].read_bytes()
    found = SafetensorsFile(paths[0])
    assert found.metadata == {"made": "here"}
    for name, tensor in tensors.items():
        assert found.shape(name) == tensor.shape
        assert np.array_equal(found.raw(name), tensor)
    assert found.floats("half").dtype == np.float32
    with pytest.raises(WeightsError, match="tensor steps is of type I8"):
        found.floats("steps")


def test_bfloat16_is_read(tmp_path):
    values = np.float32([1.0, -2.5, 0.0, 3.0e38])
    bits = stored(values, WeightType.BF16)
    header = {"x": {"dtype": "BF16", "shape": [4], "data_offsets": [0, 8]}}
    found = SafetensorsFile(safetensors(tmp_path / "b", header, bits.tobytes())).floats("x")
    assert np.allclose(found, values, rtol=1 / 256)


@pytest.mark.parametrize(
    ("header", "content", "words"),
    [
        (b"", b"", "cut short, or no safetensors"),
        (b"[]", b"", "cut short, or no safetensors"),
        (b"{", b"", "cut short, or no safetensors"),
        (b"\xff\xff", b"", "cut short, or no safetensors"),
        (b"[" * 100_000, b"", "cut short, or no safetensors"),
        ({"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, b"1234567", "tensor x reaches past its end"),
        ({"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}, b"12345678", "tensor x reaches past its end"),
        ({"x": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}, b"12345678", "tensor x reaches past its end"),
        ({"x": {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]}}, b"12345678", "tensor x reaches past its end"),
        ({"x": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 8]}}, b"12345678", "tensor x reaches"),
        ({"x": {"dtype": "F99", "shape": [2], "data_offsets": [0, 8]}}, b"12345678", "unknown type F99"),
        ({"x": {"dtype": "F32", "shape": [2]}}, b"12345678", "cut short, or no safetensors"),
    ],
)
def test_a_file_that_is_not_whole_is_named(tmp_path, header, content, words):
    path = safetensors(tmp_path / "weights.safetensors", header, content)
    with pytest.raises(WeightsError, match=words) as caught:
        SafetensorsFile(path)
    assert str(path) in caught.value.message


@pytest.mark.parametrize("length", [2**63, 2**40, 10**9])
def test_an_absurd_header_is_refused_before_it_is_read(tmp_path, length):
    (tmp_path / "w").write_bytes(struct.pack("<Q", length) + b"{}")
    with pytest.raises(WeightsError, match="cut short"):
        SafetensorsFile(tmp_path / "w")


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    for path in (tmp_path / "gone", tmp_path):
        with pytest.raises(WeightsError, match="cannot be read as weights"):
            SafetensorsFile(path)


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 2**32 - 1), st.floats(0.1, 1e3))
def test_eight_bits_are_off_by_half_a_step_at_most(rows, blocks, seed, size):
    values = matrix(rows, blocks * BLOCK, seed) * np.float32(size)
    steps, scale = quantise_blocks(values)
    wide = scale.astype(np.float32)[:, :, None]
    back = steps.astype(np.float32).reshape(*scale.shape, BLOCK) * wide
    # The scale itself is a float16, off by 1/2048, which the largest value feels 127 times.
    assert (np.abs(back - values.reshape(back.shape)) <= wide * (0.5 + 127 / 2048)).all()


def test_a_block_of_zeros_stays_zero(tmp_path):
    with (tmp_path / "w").open("wb") as file:
        write_block8(file, {"m": np.zeros((2, BLOCK), np.float32), "v": np.float32([0, 1])}, {})
    found = read_block8(tmp_path / "w")
    assert not found["m"].any()
    assert found["v"].tolist() == [0, 1]


def test_a_matrix_whose_rows_are_no_whole_blocks_is_kept_in_half_precision(tmp_path):
    values = matrix(3, BLOCK + 1)
    with (tmp_path / "w").open("wb") as file:
        write_block8(file, {"m": values}, {})
    assert np.allclose(read_block8(tmp_path / "w")["m"], values, rtol=1e-3, atol=1e-6)


def test_steps_without_their_scales_are_named(tmp_path):
    steps, scale = quantise_blocks(matrix(2, 2 * BLOCK))
    for tensors in ({"m.int8": steps}, {"m.int8": steps, "m.scale": scale[:, :1].copy()}):
        with (tmp_path / "w").open("wb") as file:
            write_safetensors(file, tensors, {})
        with pytest.raises(WeightsError, match="tensor m has no scales of its shape"):
            read_block8(tmp_path / "w")


@pytest.mark.parametrize("kind", list(WeightType))
def test_a_gguf_is_what_the_engine_reads(tmp_path, kind):
    tensors = [
        GgufTensor("wide", matrix(3, 32), kind),
        GgufTensor("odd", matrix(5, 7), WeightType.F32),
        GgufTensor("long", matrix(9000, 4), kind),
        GgufTensor("row", matrix(1, 3)[0], WeightType.F32),
    ]
    metadata = {"general.architecture": "bert", "a": 7, "b": 0.5, "c": False, "d": "größer\n"}
    path = tmp_path / "model.gguf"
    with path.open("wb") as file:
        write_gguf(file, metadata, tensors)
    header = read_header(path)
    assert dict(header.metadata) == metadata
    assert [(tensor.name, tensor.shape) for tensor in header.tensors] == [
        (tensor.name, tensor.values.shape[::-1]) for tensor in tensors
    ]
    assert [tensor.size_bytes for tensor in header.tensors] == [
        tensor.values.size * tensor.type.bytes_each for tensor in tensors
    ]


def test_bfloat16_is_rounded_to_the_nearest_and_halves_to_even():
    pytest.importorskip("torch")
    import torch

    values = np.concatenate([matrix(50, 20).ravel(), np.float32([1.00390625, 1.01171875, -1.00390625, 0, 65504])])
    expected = torch.from_numpy(values).to(torch.bfloat16).view(torch.int16).numpy().view(np.uint16)
    assert np.array_equal(stored(values, WeightType.BF16), expected)
