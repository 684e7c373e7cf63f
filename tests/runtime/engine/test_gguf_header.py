"""What a GGUF's header says, and what files that are no sound GGUF are told."""

from __future__ import annotations

import math
import random
import struct
from pathlib import Path

import pytest
from helpers.tiny_gguf import (
    ARRAY,
    FLOAT32,
    INT32,
    STRING,
    UINT32,
    UINT64,
    RawTensor,
    TinyModel,
    gguf_bytes,
    tiny_metadata,
    tiny_tensors,
    write_gguf,
    write_parts,
)

from satchel.runtime.engine.bindings import load_ggml
from satchel.runtime.engine.devices import Machine, Memory
from satchel.runtime.engine.errors import MissingPartError, NotAGgufError, TruncatedModelError, UnsupportedModelError
from satchel.runtime.engine.gguf_header import LongArray, read_header, read_model
from satchel.runtime.engine.model_shape import read_shape
from satchel.runtime.engine.plan import USUAL_CONTEXT, PlanRequest, plan
from satchel.runtime.engine.tensor_types import TENSOR_TYPES
from satchel.runtime.errors import SatchelError

MINIMAL = [("general.architecture", STRING, "llama")]
NORM = RawTensor("output_norm.weight", (8,), 0, bytes(32))


def _write(folder: Path, content: bytes) -> Path:
    path = folder / "model.gguf"
    path.write_bytes(content)
    return path


def test_the_starters_header_tells_its_shape(starter_path: Path) -> None:
    header = read_model(starter_path)
    assert header.architecture == "llama"
    assert header.number("llama.block_count") == 30
    assert header.items("tokenizer.ggml.tokens") == 49_152
    assert header.metadata["tokenizer.ggml.merges"] == LongArray(48_900)
    assert len(header.tensors) == 272
    assert sum(tensor.size_bytes for tensor in header.tensors) < header.file_bytes == starter_path.stat().st_size


def test_short_arrays_and_every_scalar_type_are_kept(tmp_path: Path) -> None:
    entries = [*MINIMAL, ("a", ARRAY, (UINT32, [1, 2, 3])), ("b", ARRAY, (STRING, ["x", "y"])), ("c", UINT64, 2**40)]
    header = read_header(_write(tmp_path, gguf_bytes(entries, [NORM])))
    assert header.metadata["a"] == (1, 2, 3)
    assert header.metadata["b"] == ("x", "y")
    assert header.number("c") == 2**40
    assert header.number("a") == 3
    assert header.numbers("a", 5) == (1, 2, 3, 3, 3)
    assert header.numbers("missing", 2, 7) == (7, 7)


def test_the_digest_changes_with_the_header_and_not_with_the_place(tmp_path: Path) -> None:
    first = read_header(write_gguf(tmp_path / "a.gguf", TinyModel()))
    again = read_header(write_gguf(tmp_path / "b.gguf", TinyModel()))
    other = read_header(write_gguf(tmp_path / "c.gguf", TinyModel(template=None)))
    assert first.digest == again.digest != other.digest


def test_sizes_of_tensor_types_are_those_of_the_library() -> None:
    ggml = load_ggml()
    for type_id, kind in TENSOR_TYPES.items():
        assert ggml["ggml_type_name"](type_id).decode() == kind.name
        assert ggml["ggml_blck_size"](type_id) == kind.block_values
        assert ggml["ggml_type_size"](type_id) == kind.block_bytes


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"GG", "does not begin with GGUF"),
        (b"<!doctype html><html>404</html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS pointer"),
        (b"PK\x03\x04" + bytes(60), "a ZIP archive"),
        (struct.pack("<Q", 40) + b'{"a":{"dtype":"F32"}}', "safetensors"),
        (b"lmgg" + bytes(60), "GGML, the format before GGUF"),
    ],
)
def test_a_file_of_another_kind_is_named_for_what_it_is(tmp_path: Path, content: bytes, words: str) -> None:
    path = _write(tmp_path, content)
    with pytest.raises(NotAGgufError) as caught:
        read_model(path)
    assert words in caught.value.message
    assert str(path) in caught.value.message


def test_a_folder_and_a_missing_file_are_no_models(tmp_path: Path) -> None:
    with pytest.raises(NotAGgufError, match="is a directory"):
        read_model(tmp_path)
    with pytest.raises(NotAGgufError, match="no such file"):
        read_model(tmp_path / "gone.gguf")


@pytest.mark.parametrize(
    ("version", "words"),
    [(1, "no longer reads"), (4, "newer than the version 3"), (0x03000000, "big-endian")],
)
def test_other_versions_of_the_format_are_told_apart(tmp_path: Path, version: int, words: str) -> None:
    with pytest.raises(UnsupportedModelError, match=words):
        read_model(_write(tmp_path, gguf_bytes(MINIMAL, [NORM], version=version)))


def test_a_truncated_model_is_told_how_far_it_goes(tmp_path: Path) -> None:
    whole = gguf_bytes(tiny_metadata(TinyModel()), tiny_tensors(TinyModel()))
    path = _write(tmp_path, whole[: len(whole) * 3 // 4])
    with pytest.raises(TruncatedModelError, match=r"tensors end at byte .*, the file at byte"):
        read_model(path)


def test_a_model_cut_anywhere_is_an_error_in_words_and_never_anything_else(tmp_path: Path) -> None:
    whole = gguf_bytes(tiny_metadata(TinyModel()), tiny_tensors(TinyModel()))
    chance = random.Random(7)
    for length in [*range(64), *(chance.randrange(len(whole) - 64) for _ in range(60))]:
        with pytest.raises((TruncatedModelError, NotAGgufError)):
            read_model(_write(tmp_path, whole[:length]))


def test_a_model_with_changed_header_bytes_is_read_or_refused_in_words(tmp_path: Path) -> None:
    metadata = [entry for entry in tiny_metadata(TinyModel()) if not entry[0].startswith("tokenizer")]
    whole = gguf_bytes(metadata, tiny_tensors(TinyModel(layers=1)))
    chance = random.Random(11)
    refused = 0
    for _ in range(300):
        content = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            content[chance.randrange(1200)] = chance.randrange(256)
        path = _write(tmp_path, bytes(content))
        message = _refusal(path)
        assert message is None or str(path) in message
        refused += message is not None
    assert 0 < refused < 300


def _refusal(path: Path) -> str | None:
    try:
        read_model(path)
    except SatchelError as error:
        return error.message
    return None


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [(8, 2**60, "tensors"), (16, 2**60, "metadata entries"), (24, 2**60, "a key is")],
)
def test_absurd_counts_are_refused_before_anything_is_allocated(
    tmp_path: Path, place: int, value: int, words: str
) -> None:
    content = bytearray(gguf_bytes(MINIMAL, [NORM]))
    content[place : place + 8] = struct.pack("<Q", value)
    with pytest.raises(NotAGgufError, match=words):
        read_model(_write(tmp_path, bytes(content)))


SHAPE_KEYS = (
    "block_count",
    "context_length",
    "embedding_length",
    "feed_forward_length",
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.value_length",
    "attention.sliding_window",
    "ssm.inner_size",
)


@pytest.mark.parametrize("name", SHAPE_KEYS)
@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("as_array", [False, True])
def test_a_size_that_is_no_finite_number_is_named(tmp_path: Path, name: str, value: float, as_array: bool) -> None:
    kind, stored = (ARRAY, (FLOAT32, [value])) if as_array else (FLOAT32, value)
    path = write_gguf(tmp_path / "model.gguf", TinyModel(metadata=((f"llama.{name}", kind, stored),)))
    with pytest.raises(NotAGgufError, match=rf"llama\.{name} is -?(inf|nan)"):
        read_shape(read_model(path))


@pytest.mark.parametrize("name", SHAPE_KEYS)
@pytest.mark.parametrize(("kind", "value"), [(UINT64, 2**64 - 1), (UINT64, 2**32), (INT32, -1), (FLOAT32, 1e38)])
def test_sizes_that_llama_cpp_cannot_hold_are_named(tmp_path: Path, name: str, kind: int, value: float) -> None:
    path = write_gguf(tmp_path / "model.gguf", TinyModel(metadata=((f"llama.{name}", kind, value),)))
    with pytest.raises(UnsupportedModelError, match=rf"llama\.{name} is -?[\d,]+"):
        read_shape(read_model(path))


@pytest.mark.parametrize("name", [key for key in SHAPE_KEYS if key != "block_count"])
def test_the_largest_sizes_that_there_can_be_are_planned_and_do_not_fit(tmp_path: Path, name: str) -> None:
    entries = [(f"llama.{name}", UINT32, 2**32 - 1)]
    if name in {"embedding_length", "feed_forward_length"}:
        entries.append(("llama.context_length", UINT32, 2**32 - 1))
    path = write_gguf(tmp_path / "model.gguf", TinyModel(metadata=tuple(entries)))
    memory = Memory(8 << 30, 16 << 30)
    machine = Machine(devices=(), memory=memory, cores=2, offloads=False)
    made = plan(read_shape(read_model(path)), machine, PlanRequest())
    assert made.context <= USUAL_CONTEXT
    assert made.host_bytes > 0
    assert all(len(line) < 300 for line in made.lines)


def test_a_layer_of_an_absurd_number_is_refused(tmp_path: Path) -> None:
    for number in (512, 10**20):
        tensor = RawTensor(f"blk.{number}.attn_norm.weight", (8,), 0, bytes(32))
        with pytest.raises(UnsupportedModelError, match=f"it names {number + 1:,} layers"):
            read_shape(read_model(_write(tmp_path, gguf_bytes(MINIMAL, [tensor]))))


def test_floats_that_are_no_size_may_be_anything(tmp_path: Path) -> None:
    entries = [*MINIMAL, ("a", FLOAT32, math.inf), ("b", ARRAY, (FLOAT32, [math.nan]))]
    assert read_model(_write(tmp_path, gguf_bytes(entries, [NORM]))).metadata["a"] == math.inf


def test_a_string_longer_than_the_file_is_truncation(tmp_path: Path) -> None:
    content = bytearray(gguf_bytes(MINIMAL, [NORM]))
    at = content.index(b"llama") - 8
    content[at : at + 8] = struct.pack("<Q", 1 << 20)
    with pytest.raises(TruncatedModelError, match="inside its header"):
        read_model(_write(tmp_path, bytes(content)))


@pytest.mark.parametrize(
    ("tensor", "error", "words"),
    [
        (RawTensor("t", (8,), 99, bytes(32)), UnsupportedModelError, "newer than this version"),
        (RawTensor("t", (8,), 4, bytes(32)), UnsupportedModelError, "was removed"),
        (RawTensor("t", (33,), 8, bytes(34)), NotAGgufError, "no whole number of q8_0 blocks"),
        (RawTensor("t", (0,), 0, b""), NotAGgufError, "shape"),
        (RawTensor("t", (2**40, 2**40), 0, b""), NotAGgufError, "shape"),
        (RawTensor("t", (1, 1, 1, 1, 1), 0, bytes(4)), NotAGgufError, "5 dimensions"),
        (RawTensor("t" * 128, (8,), 0, bytes(32)), NotAGgufError, "128 bytes long"),
    ],
)
def test_tensors_that_cannot_be_are_refused(
    tmp_path: Path, tensor: RawTensor, error: type[SatchelError], words: str
) -> None:
    with pytest.raises(error, match=words):
        read_model(_write(tmp_path, gguf_bytes(MINIMAL, [tensor])))


def test_tensors_that_overlap_or_leave_gaps_are_refused(tmp_path: Path) -> None:
    tensors = [NORM, RawTensor("other", (8,), 0, bytes(32))]
    for offset in (0, 8, 64):
        with pytest.raises(NotAGgufError, match="the tensor other lies at"):
            read_model(_write(tmp_path, gguf_bytes(MINIMAL, tensors, offsets={"other": offset})))


def test_a_tensor_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAGgufError, match=r"output_norm\.weight is there twice"):
        read_model(_write(tmp_path, gguf_bytes(MINIMAL, [NORM, NORM])))


def test_all_parts_of_a_split_model_are_read_as_one_from_any_of_them(tmp_path: Path) -> None:
    whole = read_model(write_gguf(tmp_path / "whole.gguf", TinyModel()))
    parts = write_parts(tmp_path, "split", TinyModel(), 3)
    for part in parts:
        header = read_model(part)
        assert header.path == parts[0]
        assert header.parts == tuple(parts)
        assert [t.name for t in header.tensors] == [t.name for t in whole.tensors]
        assert header.architecture == "llama"


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    parts = write_parts(tmp_path, "split", TinyModel(), 3)
    parts[1].unlink()
    with pytest.raises(MissingPartError, match=r"split-00002-of-00003\.gguf is not beside it"):
        read_model(parts[0])


def test_parts_under_other_names_are_explained(tmp_path: Path) -> None:
    parts = write_parts(tmp_path, "split", TinyModel(), 2)
    renamed = parts[0].rename(tmp_path / "renamed.gguf")
    with pytest.raises(UnsupportedModelError, match="one of 2 parts, and its name no longer ends in"):
        read_model(renamed)
    parts = write_parts(tmp_path, "swapped", TinyModel(), 2)
    first = parts[0].read_bytes()
    parts[0].write_bytes(parts[1].read_bytes())
    parts[1].write_bytes(first)
    with pytest.raises(UnsupportedModelError, match="its name says part 1 of 2, its header part 2 of 2"):
        read_model(parts[0])
