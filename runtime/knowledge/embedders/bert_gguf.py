"""A BERT-like encoder as GGUF for llama.cpp's architecture `bert`.

Learned absolute positions, LayerNorm after each sum, GELU (llama.cpp computes its tanh form), bidirectional attention.
The file carries the tokenizer as `tokenizer.huggingface.json`, and no vocabulary of llama.cpp's own, whose tokeniser
gives other ids and takes 22 ms of every start to build; other programs must feed the file ids as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from satchel.runtime.knowledge.embedders.gguf_file import GgufTensor, MetadataValue, WeightType, write_gguf

TOKENIZER_KEY = "tokenizer.huggingface.json"
FINGERPRINT_KEY = "satchel.embedder.fingerprint"

POOLING_TYPES = {"none": 0, "mean": 1, "cls": 2}
"""llama.cpp's numbers."""

_LAYER = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
_WORDS = "embeddings.word_embeddings.weight"
_POSITIONS = "embeddings.position_embeddings.weight"
_TYPES = "embeddings.token_type_embeddings.weight"


@dataclass(frozen=True, slots=True)
class BertShape:
    """The sizes of an encoder."""

    width: int
    feed_forward: int
    layers: int
    heads: int
    vocabulary: int
    positions: int
    """Rows of the position table as it is stored."""
    token_types: int
    norm_epsilon: float
    first_position: int = 0
    """Row of the first token: RoBERTa's kind keeps rows for padding, which llama.cpp does not know."""


def bert_tensor_names(shape: BertShape) -> list[str]:
    """Return Hugging Face's names of the tensors that the encoder needs; the pooler is none of them."""
    names = [_WORDS, _POSITIONS, _TYPES, "embeddings.LayerNorm.weight", "embeddings.LayerNorm.bias"]
    for layer in range(shape.layers):
        names += [f"encoder.layer.{layer}.{part}.{kind}" for part in _LAYER for kind in ("weight", "bias")]
    return names


def write_bert_gguf(
    file: BinaryIO,
    shape: BertShape,
    tensor: Callable[[str], NDArray[np.float32]],
    *,
    name: str,
    weight_type: WeightType,
    pooling: str,
    tokenizer_json: str,
    fingerprint_json: str = "",
) -> None:
    """Write an encoder whose tensors `tensor` returns by Hugging Face's names; matrices in `weight_type`."""
    metadata: dict[str, MetadataValue] = {
        "general.architecture": "bert",
        "general.name": name,
        "bert.context_length": shape.positions - shape.first_position,
        "bert.embedding_length": shape.width,
        "bert.feed_forward_length": shape.feed_forward,
        "bert.block_count": shape.layers,
        "bert.attention.head_count": shape.heads,
        "bert.attention.layer_norm_epsilon": shape.norm_epsilon,
        "bert.attention.causal": False,
        "bert.pooling_type": POOLING_TYPES[pooling],
        "bert.vocab_size": shape.vocabulary,
        "tokenizer.ggml.model": "none",
        "tokenizer.ggml.token_type_count": shape.token_types,
        TOKENIZER_KEY: tokenizer_json,
    }
    if fingerprint_json:
        metadata[FINGERPRINT_KEY] = fingerprint_json
    write_gguf(file, metadata, _tensors(shape, tensor, weight_type))


def _tensors(
    shape: BertShape, tensor: Callable[[str], NDArray[np.float32]], weight_type: WeightType
) -> Iterator[GgufTensor]:
    yield GgufTensor("token_embd.weight", tensor(_WORDS), weight_type)
    yield GgufTensor("position_embd.weight", tensor(_POSITIONS)[shape.first_position :], WeightType.F32)
    yield GgufTensor("token_types.weight", tensor(_TYPES), WeightType.F32)
    yield from _pair("token_embd_norm", "embeddings.LayerNorm", tensor, WeightType.F32)
    for layer in range(shape.layers):
        for theirs, ours in _LAYER.items():
            kind = WeightType.F32 if theirs.endswith("LayerNorm") else weight_type
            yield from _pair(f"blk.{layer}.{ours}", f"encoder.layer.{layer}.{theirs}", tensor, kind)


def _pair(
    ours: str, theirs: str, tensor: Callable[[str], NDArray[np.float32]], kind: WeightType
) -> Iterator[GgufTensor]:
    yield GgufTensor(f"{ours}.weight", tensor(f"{theirs}.weight"), kind)
    yield GgufTensor(f"{ours}.bias", tensor(f"{theirs}.bias"), WeightType.F32)
