"""LoRA adapters: one that fits changes what a model says, one that does not is an error."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.generations import GREEDY, collect, user
from helpers.tiny_gguf import FLOAT32, STRING, RawTensor, TinyModel, gguf_bytes, write_gguf, write_lora

from satchel.runtime.engine.base import LoadSpec
from satchel.runtime.engine.errors import AdapterError
from satchel.runtime.engine.llama import LlamaEngine

TIDE = [user("the tide rises twice a day")]
MODEL = TinyModel()
LORA = [
    ("general.architecture", STRING, "llama"),
    ("general.type", STRING, "adapter"),
    ("adapter.type", STRING, "lora"),
    ("adapter.lora.alpha", FLOAT32, 4.0),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_gguf(tmp_path / "m.gguf", MODEL)


def _say(engine: LlamaEngine, path: Path, **spec):
    engine.load(LoadSpec(path=str(path), **spec))
    return collect(engine.generate(TIDE, GREEDY, max_tokens=10)).exactly


def test_an_adapter_that_fits_changes_what_the_model_says_by_its_scale(engine, path, tmp_path):
    adapter = str(write_lora(tmp_path / "lora.gguf", MODEL))

    plain = _say(engine, path)
    whole, half, none = (_say(engine, path, adapter=adapter, adapter_scale=scale) for scale in (1.0, 0.5, 0.0))

    assert len({plain, whole, half}) == 3
    assert none == plain
    assert _say(engine, path) == plain


def _raw(folder: Path, metadata=LORA, tensors=()) -> Path:
    path = folder / "lora.gguf"
    path.write_bytes(gguf_bytes(metadata, list(tensors)))
    return path


def _pair(name: str, inputs: int, outputs: int, rank: int = 2) -> list[RawTensor]:
    return [
        RawTensor(f"{name}.lora_a", (inputs, rank), 0, bytes(4 * inputs * rank)),
        RawTensor(f"{name}.lora_b", (rank, outputs), 0, bytes(4 * rank * outputs)),
    ]


UNFIT = {
    "no such file": lambda folder: folder / "gone.gguf",
    "it is no LoRA adapter": lambda folder: write_gguf(folder / "lora.gguf", MODEL),
    "it is for qwen2, the model is llama": lambda folder: write_lora(folder / "lora.gguf", MODEL, architecture="qwen2"),
    "is not a GGUF model: it does not begin with GGUF": lambda folder: _written(folder / "lora.gguf", b"nonsense" * 9),
    "is not whole": lambda folder: _cut(write_lora(folder / "lora.gguf", MODEL)),
    "incorrect shape": lambda folder: write_lora(folder / "lora.gguf", TinyModel(embedding=48, heads=3)),
    "does not exist in base model": lambda folder: write_lora(folder / "lora.gguf", TinyModel(layers=3)),
    "is missing one component": lambda folder: _raw(folder, tensors=_pair("blk.0.attn_q.weight", 64, 64)[:1]),
    "it is for nothing named, the model is llama": lambda folder: _raw(folder, LORA[1:], _pair("x", 8, 8)),
}


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _cut(path: Path) -> Path:
    return _written(path, path.read_bytes()[:-100])


@pytest.mark.parametrize("words", UNFIT)
def test_an_adapter_that_does_not_fit_is_an_error_that_names_it_and_the_model_alone_works(
    engine, path, tmp_path, words
):
    adapter = UNFIT[words](tmp_path)

    with pytest.raises(AdapterError) as caught:
        engine.load(LoadSpec(path=str(path), adapter=str(adapter)))

    assert words in caught.value.message
    assert str(adapter) in caught.value.message
    assert _say(engine, path)
