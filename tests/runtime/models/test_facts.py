"""What a file's header says for lists, and which files are no models to talk to."""

from __future__ import annotations

import llama_cpp
import pytest
from helpers.model_folders import model_bytes, projector_bytes, write_file
from helpers.tiny_gguf import (
    BOOL,
    STRING,
    UINT32,
    RawTensor,
    TinyModel,
    gguf_bytes,
    tiny_metadata,
    tiny_tensors,
    write_gguf,
    write_lora,
    write_parts,
)

from satchel.runtime.models.facts import FILE_TYPES, read_facts


def test_a_models_numbers_come_from_its_header(tmp_path):
    more = (("general.file_type", UINT32, 15), ("general.size_label", STRING, "4B"))
    path = write_gguf(tmp_path / "m.gguf", TinyModel(architecture="qwen3", context=512, metadata=more))
    facts = read_facts(path)

    assert (facts.architecture, facts.quantisation, facts.context, facts.parts) == ("qwen3", "Q4_K_M", 512, 1)
    assert (facts.bytes, facts.size_label, facts.problem) == (path.stat().st_size, "4B", "")
    assert facts.parameters > 50_000


def test_without_a_named_mix_the_type_of_most_weights_is_told(tmp_path):
    assert read_facts(write_gguf(tmp_path / "m.gguf")).quantisation in {"F16", "F32"}


def test_the_names_of_mixes_are_the_librarys():
    named = {
        name.removeprefix("LLAMA_FTYPE_").removeprefix("MOSTLY_").removeprefix("ALL_"): value
        for name, value in vars(llama_cpp).items()
        if name.startswith("LLAMA_FTYPE_") and name != "LLAMA_FTYPE_GUESSED"
    }

    assert named == {name: number for number, name in FILE_TYPES.items()}


def test_a_split_model_is_counted_whole(tmp_path):
    parts = write_parts(tmp_path, "m", TinyModel(), 3)
    facts = read_facts(parts[0])

    assert facts.parts == 3
    assert facts.bytes == sum(path.stat().st_size for path in parts)


@pytest.mark.parametrize("number", [0, 2])
def test_a_missing_part_is_its_problem(tmp_path, number):
    parts = write_parts(tmp_path, "m", TinyModel(), 3)
    parts[number].unlink()

    assert "is not beside it" in read_facts(parts[1]).problem


def test_an_adapter_is_no_model(tmp_path):
    assert (
        read_facts(write_lora(tmp_path / "a.gguf", TinyModel())).problem == "it is a LoRA adapter, no model of its own"
    )


def test_a_projector_is_no_model(tmp_path):
    assert "projector for pictures" in read_facts(write_file(tmp_path / "p.gguf", projector_bytes())).problem
    old = gguf_bytes([("general.architecture", STRING, "clip")], [])
    assert "projector for pictures" in read_facts(write_file(tmp_path / "q.gguf", old)).problem


def test_an_embedder_does_not_speak(tmp_path):
    bert = write_gguf(tmp_path / "b.gguf", TinyModel(architecture="bert", tokenizer="wordpiece"))
    pooled = (("llama.pooling_type", UINT32, 3),)

    assert read_facts(bert).problem == "it makes vectors of texts and does not speak"
    assert "vectors" in read_facts(write_gguf(tmp_path / "e.gguf", TinyModel(metadata=pooled))).problem
    assert not read_facts(
        write_gguf(tmp_path / "c.gguf", TinyModel(metadata=(("llama.attention.causal", BOOL, True),)))
    ).problem


def test_a_file_with_its_projector_inside_is_told(tmp_path):
    model = TinyModel()
    tensors = [*tiny_tensors(model), RawTensor("v.patch_embd.weight", (32,), 0, b"\0" * 128)]
    path = write_file(tmp_path / "m", gguf_bytes(tiny_metadata(model), tensors))

    assert "its projector for pictures is in the same file" in read_facts(path).problem


def test_a_file_without_words_is_no_language_model(tmp_path):
    path = write_file(tmp_path / "m.gguf", gguf_bytes([("general.architecture", STRING, "whisper")], []))

    assert read_facts(path).problem == "it holds no language model"


@pytest.mark.parametrize("content", [b"", b"GGUF", b"<!DOCTYPE html>", model_bytes()[:-100]])
def test_what_is_wrong_with_a_file_is_said_and_never_raised(tmp_path, content):
    facts = read_facts(write_file(tmp_path / "m.gguf", content))

    assert "m.gguf" in facts.problem
    assert facts.bytes == len(content)


def test_a_file_that_is_gone_is_a_problem_too(tmp_path):
    assert "no such file" in read_facts(tmp_path / "m.gguf").problem
