"""The numbers of a GGUF's header that decide how much memory the model takes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from satchel.runtime.engine.errors import UnsupportedModelError
from satchel.runtime.engine.gguf_header import GgufHeader

_MOST_LAYERS = 512
"""llama.cpp's own limit (LLAMA_MAX_LAYERS); beyond it the process ends."""
_LARGEST_SIZE = (1 << 32) - 1
"""llama.cpp holds every size in 32 bits."""
_BLOCK = re.compile(r"^blk\.(\d+)\.")
# Models of these architectures give only some layers a sliding window: every n-th sees everything. llama.cpp holds
# these numbers in code (src/models/*.cpp, `set_swa_pattern`) where the file itself does not tell.
_FULL_LAYER_EVERY = {
    "cohere2": 4,
    "exaone4": 4,
    "gemma2": 2,
    "gemma3": 6,
    "gemma3n": 5,
    "gpt-oss": 2,
    "olmo2": 4,
    "smallthinker": 4,
}


@dataclass(frozen=True, slots=True)
class Layer:
    """One block of the model."""

    weight_bytes: int
    kv_values: int
    """Values that K and V keep for each token, over all heads; 0 for a layer without attention."""
    recurrent_values: int
    """Values of its state, whatever the length of the text (Mamba, RWKV); 0 for most."""
    window: int
    """Tokens that its attention looks back over; 0: all."""


@dataclass(frozen=True, slots=True)
class ModelShape:
    """A model's layers and sizes."""

    architecture: str
    layers: tuple[Layer, ...]
    input_bytes: int
    """Token embeddings and what else comes before the layers; they always stay in the computer's own memory."""
    output_bytes: int
    """The last norm and the output matrix."""
    shared_output_bytes: int
    """Where the token embeddings are the output matrix too: the copy of them that a GPU needs."""
    trained_context: int
    embedding: int
    feed_forward: int
    heads: int
    head_values: int
    vocabulary: int

    @property
    def weight_bytes(self) -> int:
        """All weights of the file."""
        return self.input_bytes + self.output_bytes + sum(layer.weight_bytes for layer in self.layers)


def read_shape(header: GgufHeader) -> ModelShape:
    """Return the shape of a model; what a header does not tell is reckoned on the side of more memory.

    Raises:
        UnsupportedModelError: it names more layers or larger sizes than llama.cpp can hold.
        NotAGgufError: a size is infinite, or no number at all.
    """
    architecture = header.architecture

    def size(name: str, default: int = 0) -> int:
        # Where it is an array, with a value for each layer: the largest.
        return max(_sizes(header, f"{architecture}.{name}", _MOST_LAYERS, default))

    embedding = size("embedding_length")
    heads = size("attention.head_count") or 1
    blocks = _block_bytes(header)
    count = max(size("block_count"), max(blocks, default=-1) + 1)
    if count > _MOST_LAYERS:
        raise UnsupportedModelError(path=header.path, reason=f"it names {count:,} layers")
    kv_heads = _sizes(header, f"{architecture}.attention.head_count_kv", count, heads)
    key_length = size("attention.key_length") or embedding // heads
    value_length = size("attention.value_length") or embedding // heads
    kv_per_head = key_length + value_length
    if latent := size("attention.kv_lora_rank"):
        # Multi-head latent attention keeps one compressed vector and the rotated part of K for all heads together.
        kv_heads = (1,) * count
        kv_per_head = latent + size("rope.dimension_count", 64)
    windows = _windows(header, architecture, size("attention.sliding_window"), count)
    recurrent = _recurrent_values(size, embedding)
    with_state = _recurrent_layers(header)
    layers = tuple(
        Layer(
            weight_bytes=blocks.get(number, 0),
            kv_values=0 if number in with_state else kv_heads[number] * kv_per_head,
            recurrent_values=recurrent if number in with_state else 0,
            window=windows[number],
        )
        for number in range(count)
    )
    input_bytes = sum(t.size_bytes for t in header.tensors if t.name.startswith(("token_embd", "per_layer_token_embd")))
    output_bytes = sum(t.size_bytes for t in header.tensors if t.name.startswith("output"))
    shared = 0
    if not any(tensor.name == "output.weight" for tensor in header.tensors):
        shared = sum(t.size_bytes for t in header.tensors if t.name == "token_embd.weight")
    other = sum(t.size_bytes for t in header.tensors) - sum(blocks.values())
    other -= sum(t.size_bytes for t in header.tensors if t.name.startswith(("token_embd", "per_layer", "output")))
    return ModelShape(
        architecture=architecture,
        layers=layers,
        input_bytes=input_bytes + other,
        output_bytes=output_bytes,
        shared_output_bytes=shared,
        trained_context=size("context_length"),
        embedding=embedding,
        feed_forward=size("feed_forward_length"),
        heads=heads,
        head_values=max(key_length, value_length),
        vocabulary=header.items("tokenizer.ggml.tokens") or size("vocab_size"),
    )


def _sizes(header: GgufHeader, key: str, count: int, default: int = 0) -> tuple[int, ...]:
    """Return `count` sizes: an array's own, or a single value for all.

    Raises:
        UnsupportedModelError: one is larger than llama.cpp can hold, or negative.
        NotAGgufError: one is infinite, or no number at all.
    """
    found = header.numbers(key, count, default)
    for value in found:
        if not 0 <= value <= _LARGEST_SIZE:
            raise UnsupportedModelError(path=header.path, reason=f"{key} is {value:,}")
    return found


def _block_bytes(header: GgufHeader) -> dict[int, int]:
    blocks: dict[int, int] = {}
    for tensor in header.tensors:
        if match := _BLOCK.match(tensor.name):
            number = int(match[1])
            blocks[number] = blocks.get(number, 0) + tensor.size_bytes
    return blocks


def _windows(header: GgufHeader, architecture: str, window: int, count: int) -> tuple[int, ...]:
    pattern = header.metadata.get(f"{architecture}.attention.sliding_window_pattern")
    if not window:
        return (0,) * count
    if isinstance(pattern, tuple):
        return tuple(window if number < len(pattern) and pattern[number] else 0 for number in range(count))
    every = pattern if isinstance(pattern, int) else _FULL_LAYER_EVERY.get(architecture, 1)
    return tuple(0 if every < 1 or (number + 1) % every == 0 else window for number in range(count))


def _recurrent_layers(header: GgufHeader) -> frozenset[int]:
    """Layers that keep a state in the place of K and V: those with a state-space or RWKV tensor and no attention."""
    stateful, attentive = set(), set()
    for tensor in header.tensors:
        if match := _BLOCK.match(tensor.name):
            rest = tensor.name[match.end() :]
            if rest.startswith(("ssm_", "time_mix_", "shortconv")):
                stateful.add(int(match[1]))
            elif rest.startswith(("attn_k.", "attn_qkv.", "attn_kv_", "attn_v.")):
                attentive.add(int(match[1]))
    return frozenset(stateful - attentive)


def _recurrent_values(size: Callable[[str], int], embedding: int) -> int:
    """Return the values of one layer's state: convolution and state space (Mamba), or token shift and heads (RWKV)."""
    inner = size("ssm.inner_size")
    if inner:
        state = size("ssm.state_size")
        groups = size("ssm.group_count")
        width = max(size("ssm.conv_kernel") - 1, 0)
        return width * (inner + 2 * groups * state) + inner * state
    if head := size("wkv.head_size"):
        return 2 * embedding + embedding * head
    return 3 * embedding
