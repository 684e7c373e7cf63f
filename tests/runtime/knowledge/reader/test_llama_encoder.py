from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from satchel.runtime.knowledge.embedders.bert_gguf import BertShape, bert_tensor_names, write_bert_gguf
from satchel.runtime.knowledge.embedders.gguf_file import WeightType
from satchel.runtime.knowledge.reader.errors import ReaderModelError
from satchel.runtime.knowledge.reader.llama_encoder import BATCH_TOKENS, LlamaTokenEncoder

SHAPE = BertShape(
    width=64,
    feed_forward=96,
    layers=2,
    heads=2,
    vocabulary=50,
    positions=400,
    token_types=2,
    norm_epsilon=1e-12,
)
Tensors = dict[str, np.ndarray]


def random_tensors() -> Tensors:
    rng = np.random.default_rng(3)
    sizes = {"word": SHAPE.vocabulary, "position": SHAPE.positions, "token_type": SHAPE.token_types}
    tensors = {}
    for name in bert_tensor_names(SHAPE):
        if "LayerNorm" in name:
            shape: tuple[int, ...] = (SHAPE.width,)
        elif name.startswith("embeddings"):
            shape = (sizes[name.removeprefix("embeddings.").partition("_embeddings")[0]], SHAPE.width)
        else:
            out = SHAPE.feed_forward if "intermediate" in name else SHAPE.width
            into = SHAPE.feed_forward if name.split(".")[3:5] == ["output", "dense"] else SHAPE.width
            shape = (out, into) if name.endswith("weight") else (out,)
        tensors[name] = rng.normal(1.0 if name.endswith("LayerNorm.weight") else 0.0, 0.15, shape).astype(np.float32)
    return tensors


def normed(x: np.ndarray, t: Tensors, name: str) -> np.ndarray:
    x = x - x.mean(-1, keepdims=True)
    return x / np.sqrt((x * x).mean(-1, keepdims=True)) * t[f"{name}.weight"] + t[f"{name}.bias"]


def dense(x: np.ndarray, t: Tensors, name: str) -> np.ndarray:
    return x @ t[f"{name}.weight"].T + t[f"{name}.bias"]


def by_hand(ids: list[int], t: Tensors) -> np.ndarray:
    x = t["embeddings.word_embeddings.weight"][ids] + t["embeddings.position_embeddings.weight"][: len(ids)]
    x = normed(x + t["embeddings.token_type_embeddings.weight"][0], t, "embeddings.LayerNorm")
    wide = SHAPE.width // SHAPE.heads
    for layer in range(SHAPE.layers):
        at = f"encoder.layer.{layer}."
        mixed = []
        for head in range(SHAPE.heads):
            part = slice(head * wide, (head + 1) * wide)
            q, k, v = (dense(x, t, f"{at}attention.self.{n}")[:, part] for n in ("query", "key", "value"))
            scores = q @ k.T / math.sqrt(wide)
            shares = np.exp(scores - scores.max(-1, keepdims=True))
            mixed.append(shares / shares.sum(-1, keepdims=True) @ v)
        x = normed(x + dense(np.hstack(mixed), t, f"{at}attention.output.dense"), t, f"{at}attention.output.LayerNorm")
        h = dense(x, t, f"{at}intermediate.dense")
        h = 0.5 * h * (1 + np.tanh(math.sqrt(2 / math.pi) * (h + 0.044715 * h**3)))
        x = normed(x + dense(h, t, f"{at}output.dense"), t, f"{at}output.LayerNorm")
    return x


@pytest.fixture(scope="module")
def tensors() -> Tensors:
    return random_tensors()


@pytest.fixture(scope="module")
def model(tensors: Tensors, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    with path.open("wb") as file:
        write_bert_gguf(
            file,
            SHAPE,
            tensors.__getitem__,
            name="tiny",
            weight_type=WeightType.F32,
            pooling="none",
            tokenizer_json="",
        )
    return path


@pytest.mark.parametrize("threads", [1, 2])
def test_every_token_of_every_sequence_has_the_vector_that_bert_defines(model, tensors, threads):
    rng = np.random.default_rng(5)
    sequences = [rng.integers(0, SHAPE.vocabulary, size).tolist() for size in (7, 300, 1, 120, 12, BATCH_TOKENS)]
    encoder = LlamaTokenEncoder(model, threads=threads)
    for ids, hidden in zip(sequences, encoder.encode(sequences), strict=True):
        assert hidden.shape == (len(ids), SHAPE.width)
        np.testing.assert_allclose(hidden, by_hand(ids, tensors), atol=6e-3)
    encoder.close()


def test_nothing_to_encode_gives_nothing(model):
    encoder = LlamaTokenEncoder(model, threads=2)
    assert encoder.encode([]) == []
    encoder.close()
    encoder.close()


def test_a_file_that_is_no_model_is_named(tmp_path):
    path = tmp_path / "notes.gguf"
    path.write_bytes(b"no model")
    with pytest.raises(ReaderModelError, match=r"notes\.gguf"):
        LlamaTokenEncoder(path, threads=1)
