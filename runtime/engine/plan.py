"""How a model is fitted to a machine: layers on the GPU, context, type of the KV cache, with the sums behind it.

A pure function of the model's shape, the machine and what was asked for. llama.cpp gives the GPU the output first and
then the last layers, so `gpu_layers` runs from 0 to the number of layers + 1 (llama-model.cpp, `i_gpu_start`). Token
embeddings always stay in the computer's memory.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from satchel.runtime.engine.base import KvType
from satchel.runtime.engine.devices import Device, Machine
from satchel.runtime.engine.memory_sums import (
    Choice,
    Part,
    batch_tokens,
    flash_attention,
    gpu_margin,
    gpu_room,
    kv_bytes,
    memory_parts,
)
from satchel.runtime.engine.model_shape import ModelShape
from satchel.runtime.engine.sizes import in_words

USUAL_CONTEXT = 8192
"""Window that is aimed at when nobody asks for one: passages, a long chat and an answer fit."""
_WHOLE_ON_GPU_CONTEXT = 4096
_LEAST_CONTEXT = 2048
_UNKNOWN_CONTEXT = 4096
_HOST_MARGIN_BYTES = 256 << 20
_Q8_VALUES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """What was asked for, and what loading taught before; None and 0: what suits."""

    context: int = 0
    gpu_layers: int | None = None
    kv_type: KvType | None = None
    adapter_bytes: int = 0
    most_gpu_layers: int | None = None
    """More failed on this machine before."""
    most_context: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OffloadPlan:
    """What to load how, and why."""

    gpu_layers: int
    """As llama.cpp counts: the output is one of them."""
    context: int
    kv_type: KvType
    batch_tokens: int
    """Tokens of a prompt that are read at once; also how often progress and a cancel come through."""
    flash_attention: bool | None
    """None: as llama.cpp thinks best for the GPU."""
    full_window_cache: bool
    """Layers with a sliding window keep all tokens, so that an earlier point of a chat can be gone back to."""
    parts: tuple[Part, ...]
    gpus: tuple[Device, ...]
    host_available: int
    host_total: int
    lines: tuple[str, ...]

    @property
    def host_bytes(self) -> int:
        """All that the computer's own memory has to hold."""
        return sum(part.host_bytes for part in self.parts)

    @property
    def gpu_bytes(self) -> int:
        """All that the GPUs have to hold together."""
        return sum(part.gpu_bytes for part in self.parts)

    @property
    def fits_host(self) -> bool:
        """False when it would not fit even with nothing else running."""
        return self.host_bytes <= self.host_total

    @property
    def is_tight(self) -> bool:
        """True when it fits only at the cost of other programs, or from the disk again and again."""
        return self.host_bytes > self.host_available


def plan(shape: ModelShape, machine: Machine, request: PlanRequest | None = None) -> OffloadPlan:
    """Choose what suits. A plan is always returned; `fits_host` says whether it can work."""
    request = request or PlanRequest()
    notes: list[str] = []
    context = _wanted_context(shape, request, notes)
    choice = _choose(shape, machine, request, context)
    if request.most_gpu_layers is not None:
        notes.append(_remembered(machine, request))
    if choice.context < context:
        notes.append(f"a context of {context:,} tokens does not fit, {choice.context:,} does")
    return _described(shape, machine, request, choice, notes)


def _choose(shape: ModelShape, machine: Machine, request: PlanRequest, context: int) -> Choice:
    """Take the first candidate that fits; without one, the last."""
    candidate = None
    for candidate in _candidates(shape, machine, request, context):
        parts = memory_parts(shape, candidate, request.adapter_bytes)
        on_host, on_gpu = sum(part.host_bytes for part in parts), sum(part.gpu_bytes for part in parts)
        room = gpu_room(shape, machine, candidate) if request.gpu_layers is None else on_gpu
        if on_gpu <= room and on_host <= machine.memory.available_bytes - _HOST_MARGIN_BYTES:
            return candidate
    assert candidate is not None
    return candidate


def _candidates(shape: ModelShape, machine: Machine, request: PlanRequest, context: int) -> Iterator[Choice]:
    """Yield what could be done, best first.

    The whole model on the GPU is worth more than a long context: one layer on the CPU already halves the speed. Below
    4,096 tokens it is not, and as many layers as fit go to the GPU. Smaller contexts are tried last.
    """
    everything = len(shape.layers) + 1
    windows = any(layer.window for layer in shape.layers)
    window_caches = (True, False) if windows else (True,)
    kv_types: tuple[KvType, ...] = (request.kv_type,) if request.kv_type else ("f16",)
    offload = bool(machine.gpus) and machine.offloads
    if request.gpu_layers is not None:
        most = min(request.gpu_layers, everything) if offload else 0
    else:
        most = everything if offload else 0
        if request.most_gpu_layers is not None:
            most = min(most, request.most_gpu_layers)
    shorter = [context] if request.context else _shorter(context)
    if request.gpu_layers is None and most == everything:
        quantised: tuple[KvType, ...] = ("f16", "q8_0") if shape.head_values % _Q8_VALUES == 0 else ("f16",)
        for length in [c for c in shorter if c >= min(context, _WHOLE_ON_GPU_CONTEXT)]:
            for kv_type in kv_types if request.kv_type else quantised:
                for full in window_caches:
                    yield Choice(everything, length, kv_type, full)
    for length in shorter:
        layer_counts = range(most, -1, -1) if request.gpu_layers is None else (most,)
        for layers in layer_counts:
            for full in window_caches:
                yield Choice(layers, length, kv_types[0], full)


def _shorter(context: int) -> list[int]:
    """Return the context and its halves down to the least that is of use."""
    lengths = [context]
    while lengths[-1] // 2 >= _LEAST_CONTEXT:
        lengths.append(lengths[-1] // 2)
    return lengths


def _wanted_context(shape: ModelShape, request: PlanRequest, notes: list[str]) -> int:
    trained = shape.trained_context or _UNKNOWN_CONTEXT
    wanted = request.context or min(trained, USUAL_CONTEXT)
    if request.most_context is not None:
        wanted = min(wanted, request.most_context)
    if wanted > trained:
        notes.append(f"the model was trained on {trained:,} tokens: the context of {wanted:,} is cut to that")
        return trained
    return wanted


def _described(
    shape: ModelShape, machine: Machine, request: PlanRequest, choice: Choice, notes: list[str]
) -> OffloadPlan:
    parts = memory_parts(shape, choice, request.adapter_bytes)
    gpus = machine.gpus if choice.gpu_layers else ()
    count = len(shape.layers)
    average = sum(layer.weight_bytes for layer in shape.layers) // max(count, 1)
    output = in_words(shape.output_bytes + shape.shared_output_bytes)
    per_token = sum(kv_bytes(layer.kv_values, choice.kv_type) for layer in shape.layers)
    lines = [
        f"{count} layers of {in_words(average)}, embeddings {in_words(shape.input_bytes)}, output {output}",
        f"trained on {shape.trained_context:,} tokens; each takes {in_words(per_token)} of KV cache, {choice.kv_type}",
    ]
    lines += [
        f"{part.name}: "
        + " + ".join(
            f"{in_words(size)} {where}"
            for size, where in ((part.host_bytes, "in memory"), (part.gpu_bytes, "on the GPU"))
            if size or where == "in memory"
        )
        for part in parts
    ]
    for gpu in gpus:
        kept = in_words(gpu_margin(gpu))
        free = f"{in_words(gpu.free_bytes)} of {in_words(gpu.total_bytes)} free"
        lines.append(f"{gpu.name} ({gpu.description}): {free}, {kept} kept free")
    made = OffloadPlan(
        gpu_layers=choice.gpu_layers,
        context=choice.context,
        kv_type=choice.kv_type,
        batch_tokens=batch_tokens(shape, choice),
        flash_attention=flash_attention(shape, choice),
        full_window_cache=choice.full_window_cache,
        parts=parts,
        gpus=gpus,
        host_available=machine.memory.available_bytes,
        host_total=machine.memory.total_bytes,
        lines=(),
    )
    total = f"in all {in_words(made.host_bytes)} of memory"
    total += f" ({in_words(made.host_available)} of {in_words(made.host_total)} available)"
    if gpus:
        total += f", {in_words(made.gpu_bytes)} on the GPU"
    lines.append(total)
    lines += notes
    lines.append(_verdict(shape, machine, request, made))
    return dataclasses.replace(made, lines=tuple(lines))


def _remembered(machine: Machine, request: PlanRequest) -> str:
    layers = f"{request.most_gpu_layers} layers on the GPU or " if machine.gpus else ""
    return f"more than {layers}a context of {request.most_context or 0:,} tokens failed here before"


def _verdict(shape: ModelShape, machine: Machine, request: PlanRequest, made: OffloadPlan) -> str:
    if not made.fits_host:
        return "it does not fit into this computer's memory"
    everything = len(shape.layers) + 1
    if made.gpu_layers:
        where = f"{made.gpu_layers} of {everything} layers on {', '.join(gpu.name for gpu in made.gpus)}"
        room = gpu_room(shape, machine, Choice(made.gpu_layers, made.context, made.kv_type, made.full_window_cache))
        if request.gpu_layers is not None and made.gpu_bytes > room:
            where += f", as asked, though only {in_words(max(room, 0))} fit"
    elif machine.gpus and machine.offloads:
        where = "no layer on the GPU" + (", as asked" if request.gpu_layers == 0 else ": none fits")
    elif machine.gpus:
        where = "no layer on the GPU: this build of llama.cpp cannot use it"
    else:
        where = "all layers on the CPU: llama.cpp reports no GPU"
    tight = "; memory is tight, expect it to be slow" if made.is_tight else ""
    return f"{where}, a context of {made.context:,} tokens{tight}"
