"""Any GGUF: architectures and odd shapes with random weights, and files that are none or cannot run."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from helpers.generations import GREEDY, collect, user
from helpers.odd_models import ODD_MODELS, TALK
from helpers.reference_logits import reference_logprobs
from helpers.tiny_gguf import (
    ARRAY,
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

from satchel.runtime.engine.base import Generated, LoadSpec
from satchel.runtime.engine.devices import Machine, Memory
from satchel.runtime.engine.errors import (
    DecodeError,
    MissingPartError,
    ModelLoadError,
    ModelTooLargeError,
    NotAGgufError,
    TruncatedModelError,
    UnsupportedModelError,
)
from satchel.runtime.engine.llama import LlamaEngine
from satchel.runtime.errors import CancelledError, SatchelError, UsageError


@pytest.fixture(params=list(ODD_MODELS))
def model(request: pytest.FixtureRequest) -> TinyModel:
    return ODD_MODELS[request.param]


def test_it_speaks_and_tells_what_it_is(engine, tmp_path, model):
    info = engine.load(LoadSpec(path=str(write_gguf(tmp_path / "m.gguf", model)), threads=2))

    assert info.name == f"tiny {model.architecture}"
    assert (info.architecture, info.layers, info.gpu_layers) == (model.architecture, model.layers, 0)
    assert (info.context_tokens, info.trained_context_tokens, info.threads) == (512, 512, 2)
    assert info.size_bytes == (tmp_path / "m.gguf").stat().st_size
    assert info.template == ("chatml" if model.template is None else "model")
    assert [note.kind for note in info.notes] == (["no-chat-template"] if model.template is None else [])
    said = collect(engine.generate(TALK, GREEDY, max_tokens=16))
    assert said.pieces
    assert all(math.isfinite(piece.logprob) and len(piece.alternatives) == 5 for piece in said.pieces)


def test_asked_again_after_other_talk_or_a_cancel_it_computes_the_very_same(engine, tmp_path, model):
    path = write_gguf(tmp_path / "m.gguf", model)
    engine.load(LoadSpec(path=str(path)))
    first = collect(engine.generate(TALK, GREEDY, max_tokens=16))

    collect(engine.generate([user("something else")], GREEDY, max_tokens=5))
    interrupted = engine.generate([*TALK[:1], user("~" * 300)], GREEDY, max_tokens=16)
    next(interrupted)
    engine.cancel()
    assert [item.reason for item in interrupted if isinstance(item, Generated)] == ["cancelled"]
    collect(engine.generate(TALK[:2], GREEDY, max_tokens=5))

    assert collect(engine.generate(TALK, GREEDY, max_tokens=16)).exactly == first.exactly


@pytest.mark.parametrize("name", ["three heads, five layers, a matrix for the output", "SentencePiece"])
def test_its_probabilities_are_those_of_the_high_level_class(engine, tmp_path, name):
    path = write_gguf(tmp_path / "m.gguf", ODD_MODELS[name])
    engine.load(LoadSpec(path=str(path)))
    said = collect(engine.generate(TALK[1:2], GREEDY, max_tokens=8))

    reference = reference_logprobs(
        path, engine.render(TALK[1:2]), said.tokens, tmp_path / "logits", context=512, batch=256
    )
    for piece, expected in zip(said.pieces, reference, strict=True):
        assert piece.logprob == pytest.approx(expected[piece.token_id], abs=1e-5)


def test_a_split_model_is_loaded_from_any_of_its_parts(engine, tmp_path):
    whole = write_gguf(tmp_path / "whole.gguf", TinyModel())
    parts = write_parts(tmp_path, "split", TinyModel(), 3)
    said = []
    for path in (whole, parts[2]):
        engine.load(LoadSpec(path=str(path)))
        said.append(collect(engine.generate(TALK, GREEDY, max_tokens=8)).exactly)

    assert said[0] == said[1]


def test_a_missing_part_is_named(engine, tmp_path):
    parts = write_parts(tmp_path, "split", TinyModel(), 3)
    parts[1].unlink()

    with pytest.raises(MissingPartError, match=r"split-00002-of-00003\.gguf is not beside it"):
        engine.load(LoadSpec(path=str(parts[0])))


def test_a_name_of_any_letters_is_found(engine, tmp_path):
    path = write_gguf(tmp_path / "Übersee ñ 日本.gguf", TinyModel())

    assert engine.load(LoadSpec(path=str(path))).path == str(path)


def test_another_model_takes_the_place_of_the_one_before(engine, tmp_path):
    for model in (TinyModel(), TinyModel(architecture="mamba"), TinyModel(tokenizer="spm")):
        info = engine.load(LoadSpec(path=str(write_gguf(tmp_path / "m.gguf", model))))
        assert info.architecture == model.architecture
        assert collect(engine.generate(TALK, GREEDY, max_tokens=2)).ended.usage.reused == 0


def test_the_identity_changes_with_the_file(engine, tmp_path):
    path = write_gguf(tmp_path / "m.gguf", TinyModel())
    first = engine.load(LoadSpec(path=str(path))).identity
    assert engine.load(LoadSpec(path=str(path), context=256)).identity == first

    write_gguf(path, TinyModel(seed=2))
    assert engine.load(LoadSpec(path=str(path))).identity != first


def test_a_cache_in_8_bits_runs_where_heads_fill_its_blocks_and_is_refused_elsewhere(engine, tmp_path):
    wide = write_gguf(tmp_path / "wide.gguf", TinyModel(architecture="qwen3", head_values=32))
    assert engine.load(LoadSpec(path=str(wide), kv_type="q8_0")).kv_type == "q8_0"
    assert collect(engine.generate(TALK, GREEDY, max_tokens=4)).pieces

    narrow = write_gguf(tmp_path / "narrow.gguf", TinyModel())
    with pytest.raises(ModelLoadError, match=r"narrow\.gguf could not be loaded: K cache type q8_0"):
        engine.load(LoadSpec(path=str(narrow), kv_type="q8_0"))


def _changed(
    folder: Path, *entries: tuple[str, int, object], without: str = "", tensors: list[RawTensor] | None = None
) -> Path:
    metadata = [entry for entry in tiny_metadata(TinyModel()) if entry[0] != without]
    path = folder / "changed.gguf"
    path.write_bytes(gguf_bytes([*metadata, *entries], tiny_tensors(TinyModel()) if tensors is None else tensors))
    return path


REFUSED = {
    "llama.cpp does not know zebra": lambda folder: write_gguf(folder / "m.gguf", TinyModel(architecture="zebra")),
    "it has no vocabulary": lambda folder: write_gguf(folder / "m.gguf", TinyModel(tokenizer="none", template=None)),
    "it is an adapter, not a model of its own": lambda folder: write_lora(folder / "lora.gguf", TinyModel()),
    "it is a mmproj file": lambda folder: _changed(folder, ("general.type", STRING, "mmproj")),
    "it is a model for embeddings and writes no text": lambda folder: write_gguf(
        folder / "m.gguf", TinyModel(architecture="bert", tokenizer="wordpiece", kv_heads=4, template=None)
    ),
    "it names no architecture": lambda folder: _changed(folder, without="general.architecture"),
    "it names 60,000 layers": lambda folder: _changed(folder, ("llama.block_count", UINT32, 60_000)),
    "it names 4,294,967,295 layers": lambda folder: _changed(folder, ("llama.block_count", UINT32, 2**32 - 1)),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_cannot_run_here_is_told_why(engine, tmp_path, words):
    path = REFUSED[words](tmp_path)

    with pytest.raises(UnsupportedModelError) as caught:
        engine.load(LoadSpec(path=str(path)))

    assert words in caught.value.message
    assert str(path) in caught.value.message


BROKEN = {
    "'blk.1.attn_k.weight' not found": lambda folder: _changed(
        folder, tensors=[t for t in tiny_tensors(TinyModel()) if t.name != "blk.1.attn_k.weight"]
    ),
    "wrong number of tensors": lambda folder: _changed(
        folder, tensors=[*tiny_tensors(TinyModel()), RawTensor("extra", (8,), 0, bytes(32))]
    ),
    "key not found in model: llama.embedding_length": lambda folder: _changed(folder, without="llama.embedding_length"),
    "unknown tokenizer: 'strange'": lambda folder: _changed(folder, ("tokenizer.ggml.model", STRING, "strange")),
    "unknown pre-tokenizer type: 'odd'": lambda folder: _changed(folder, ("tokenizer.ggml.pre", STRING, "odd")),
    "has wrong shape": lambda folder: _changed(folder, ("llama.attention.head_count", UINT32, 8)),
}


@pytest.mark.parametrize("words", BROKEN)
def test_a_model_that_does_not_hang_together_is_told_in_llama_cpps_own_words(engine, tmp_path, words):
    with pytest.raises(ModelLoadError) as caught:
        engine.load(LoadSpec(path=str(BROKEN[words](tmp_path))))

    assert words in caught.value.message
    assert "changed.gguf could not be loaded" in caught.value.message


def test_what_is_no_model_or_not_whole_is_told_before_llama_cpp_sees_it(engine, tmp_path):
    path = tmp_path / "m.gguf"
    path.write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(NotAGgufError, match="a ZIP archive"):
        engine.load(LoadSpec(path=str(path)))
    with pytest.raises(NotAGgufError, match="no such file"):
        engine.load(LoadSpec(path=str(tmp_path / "gone.gguf")))
    whole = write_gguf(path, TinyModel()).read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(TruncatedModelError, match="its tensors end at byte"):
        engine.load(LoadSpec(path=str(path)))


def test_a_model_larger_than_the_memory_is_refused_with_the_sums(tmp_path):
    machine = Machine(devices=(), memory=Memory(100_000, 200_000), cores=1)
    engine = LlamaEngine(probe=lambda: machine)
    try:
        with pytest.raises(ModelTooLargeError) as caught:
            engine.load(LoadSpec(path=str(write_gguf(tmp_path / "m.gguf", TinyModel()))))
    finally:
        engine.close()

    assert "this machine has 195 KiB: 2 layers of" in caught.value.message
    assert "KV cache, 512 tokens in f16" in caught.value.message


def test_weights_that_are_no_numbers_are_told_at_the_first_token(engine, tmp_path):
    tensors = [RawTensor(t.name, t.shape, t.type_id, b"\xff" * len(t.content)) for t in tiny_tensors(TinyModel())]
    engine.load(LoadSpec(path=str(_changed(tmp_path, tensors=tensors))))

    with pytest.raises(DecodeError, match="its weights give no numbers"):
        collect(engine.generate(TALK, GREEDY, max_tokens=2))


def test_an_end_token_beyond_the_vocabulary_does_no_harm(engine, tmp_path):
    engine.load(LoadSpec(path=str(_changed(tmp_path, ("tokenizer.ggml.eos_token_id", UINT32, 999_999)))))

    assert collect(engine.generate(TALK, GREEDY, max_tokens=2)).pieces


def test_a_refused_model_leaves_none_loaded_and_the_next_one_loads(engine, tmp_path, tiny_path):
    engine.load(LoadSpec(path=str(tiny_path)))
    with pytest.raises(SatchelError):
        engine.load(LoadSpec(path=str(_changed(tmp_path, without="llama.embedding_length"))))

    engine.load(LoadSpec(path=str(tiny_path)))
    assert collect(engine.generate(TALK, GREEDY, max_tokens=2)).pieces


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"context": -1}, "context is -1"),
        ({"context": 1 << 40}, "context is 1099511627776"),
        ({"gpu_layers": -1}, "gpu_layers is -1"),
        ({"threads": -2}, "threads is -2"),
        ({"threads": 100_000}, "threads is 100000"),
        ({"adapter_scale": math.nan}, "adapter_scale is nan"),
    ],
)
def test_values_out_of_their_range_are_named(engine, tiny_path, spec, words):
    with pytest.raises(UsageError, match=words):
        engine.load(LoadSpec(path=str(tiny_path), **spec))


@pytest.mark.parametrize("context", [1, 33, 300])
def test_small_windows_are_rounded_up_to_what_llama_cpp_takes(engine, tiny_path, context):
    info = engine.load(LoadSpec(path=str(tiny_path), context=context))

    assert info.context_tokens == -(-context // 256) * 256
    assert collect(engine.generate([user("tide")], GREEDY, max_tokens=2)).ended.usage.context == info.context_tokens


def test_a_load_can_be_cancelled_and_leaves_nothing(engine, tiny_path):
    def cancel_at_once(_stage: str, _done: int, _total: int | None) -> None:
        engine.cancel()

    with pytest.raises(CancelledError):
        engine.load(LoadSpec(path=str(tiny_path)), progress=cancel_at_once)

    engine.load(LoadSpec(path=str(tiny_path)))
    assert collect(engine.generate(TALK, GREEDY, max_tokens=2)).pieces


def test_loading_reports_from_nothing_to_all(engine, tiny_path):
    seen = []
    engine.load(LoadSpec(path=str(tiny_path)), progress=lambda *step: seen.append(step))

    assert seen[0] == ("loading the model", 0, 100)
    assert seen[-1] == ("loading the model", 100, 100)
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)


def test_vocabulary_of_a_declared_size_must_be_there(engine, tmp_path):
    few = ("tokenizer.ggml.tokens", ARRAY, (STRING, []))

    with pytest.raises(ModelLoadError, match=r"changed\.gguf could not be loaded"):
        engine.load(LoadSpec(path=str(_changed(tmp_path, few))))
