"""What a model takes of memory for a given choice of layers, context and cache type, part by part."""

from __future__ import annotations

from dataclasses import dataclass

from satchel.runtime.engine.base import KvType
from satchel.runtime.engine.devices import Device, Machine
from satchel.runtime.engine.model_shape import ModelShape
from satchel.runtime.engine.tensor_types import TENSOR_TYPES

_GPU_BATCH, _SMALL_MODEL_BATCH, _LARGE_MODEL_BATCH = 512, 256, 128
_SMALL_MODEL_BYTES = 2 << 30
_CELL_PADDING = 256
_SCORES_LIMIT = 256 << 20
_GPU_MARGIN_BYTES = 512 << 20
_GPU_MARGIN_SHARE = 0.05
_KV_TYPE_IDS: dict[KvType, int] = {"f16": 1, "q8_0": 8}


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to load a model."""

    gpu_layers: int
    """As llama.cpp counts: the output is one of them."""
    context: int
    kv_type: KvType
    full_window_cache: bool
    """Layers with a sliding window keep all tokens, so that an earlier point of a chat can be gone back to."""


@dataclass(frozen=True, slots=True)
class Part:
    """One summand: where the memory goes."""

    name: str
    host_bytes: int
    gpu_bytes: int


def memory_parts(shape: ModelShape, choice: Choice, adapter_bytes: int = 0) -> tuple[Part, ...]:
    """Return where the memory goes."""
    count = len(shape.layers)
    first = first_gpu_layer(shape, choice.gpu_layers)
    on_gpu = choice.gpu_layers > 0
    batch, flash = batch_tokens(shape, choice), flash_attention(shape, choice)
    buffers = _compute_bytes(shape, choice, batch, flash=flash)
    weights = [layer.weight_bytes for layer in shape.layers]
    states = [
        _layer_kv(layer.kv_values, layer.window, choice, batch) + 4 * layer.recurrent_values for layer in shape.layers
    ]
    parts = [
        Part("token embeddings", shape.input_bytes, 0),
        Part(f"{first} layers on the CPU, {count - first} on the GPU", sum(weights[:first]), sum(weights[first:])),
        Part(
            "output",
            0 if on_gpu else shape.output_bytes,
            shape.output_bytes + shape.shared_output_bytes if on_gpu else 0,
        ),
        Part(f"KV cache, {choice.context:,} tokens in {choice.kv_type}", sum(states[:first]), sum(states[first:])),
        Part("compute buffers", buffers, buffers if on_gpu else 0),
    ]
    if adapter_bytes:
        gpu_share = adapter_bytes * (count - first) // max(count, 1)
        parts.append(Part("adapter", adapter_bytes - gpu_share, gpu_share))
    return tuple(parts)


def first_gpu_layer(shape: ModelShape, gpu_layers: int) -> int:
    """Return the number of the first layer on the GPU: the output takes the first place, then the last layers."""
    count = len(shape.layers)
    return min(max(count + 1 - gpu_layers, 0), count)


def kv_bytes(values: int, kv_type: KvType) -> int:
    """Return what `values` of a KV cache take, in whole blocks of its type."""
    kind = TENSOR_TYPES[_KV_TYPE_IDS[kv_type]]
    return -(-values // kind.block_values) * kind.block_bytes


def batch_tokens(shape: ModelShape, choice: Choice) -> int:
    """Return the tokens read at once. The CPU looks for a cancel between operations, which are as long as a batch."""
    if choice.gpu_layers:
        return min(_GPU_BATCH, choice.context)
    small = shape.weight_bytes <= _SMALL_MODEL_BYTES
    return min(_SMALL_MODEL_BATCH if small else _LARGE_MODEL_BATCH, choice.context)


def flash_attention(shape: ModelShape, choice: Choice) -> bool | None:
    """Return whether to use it; None: as llama.cpp thinks best for the GPU.

    On the CPU it saves memory and no time, and its sums depend on the number of threads (measured: the logits differ):
    the same seed would give another text on a busier day. So it is used there only when attention scores would take too
    much, or for a quantised V cache, which needs it.
    """
    if choice.gpu_layers:
        return None
    scores = shape.heads * batch_tokens(shape, choice) * choice.context * 4
    return scores > _SCORES_LIMIT or choice.kv_type != "f16"


def gpu_room(shape: ModelShape, machine: Machine, choice: Choice) -> int:
    """Return what the GPUs can hold together; with several, each has buffers, and a layer is lost at each border."""
    gpus = machine.gpus
    if not gpus or not choice.gpu_layers:
        return 0
    largest = max((layer.weight_bytes for layer in shape.layers), default=0)
    buffers = _compute_bytes(shape, choice, batch_tokens(shape, choice), flash=None)
    free = sum(max(0, gpu.free_bytes - gpu_margin(gpu)) for gpu in gpus)
    return max(0, free - (len(gpus) - 1) * (largest + buffers))


def gpu_margin(gpu: Device) -> int:
    """Return what is left free: the driver's own context, the screen, and what an estimate misses."""
    return max(_GPU_MARGIN_BYTES, int(gpu.total_bytes * _GPU_MARGIN_SHARE))


def _layer_kv(values: int, window: int, choice: Choice, batch: int) -> int:
    tokens = choice.context
    if window and not choice.full_window_cache:
        tokens = min(tokens, window + batch)
    return kv_bytes(values, choice.kv_type) * (-(-tokens // _CELL_PADDING) * _CELL_PADDING)


def _compute_bytes(shape: ModelShape, choice: Choice, batch: int, *, flash: bool | None) -> int:
    """Estimate the buffers of a batch: activations, mask, attention scores without flash attention, one row of logits.

    Checked against what llama.cpp allocates for the Starter and tiny models (tests/runtime/engine/test_plan.py).
    """
    activations = batch * (4 * shape.embedding + 2 * max(shape.feed_forward, shape.embedding)) * 4
    mask = batch * choice.context * (4 if flash is False else 6)
    scores = shape.heads * batch * choice.context * 4 if flash is False else 0
    return activations + mask + scores + shape.vocabulary * 4
