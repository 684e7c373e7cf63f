"""Sums of memory, against what llama.cpp really allocates, and choices on described machines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.tiny_gguf import TinyModel, write_gguf

from satchel.runtime.engine.bindings import LogTail, load_llama
from satchel.runtime.engine.decoding import AbortFlag
from satchel.runtime.engine.devices import Device, Machine, Memory
from satchel.runtime.engine.gguf_header import read_model
from satchel.runtime.engine.loaded import LoadedModel
from satchel.runtime.engine.model_shape import Layer, ModelShape, read_shape
from satchel.runtime.engine.plan import OffloadPlan, PlanRequest, plan

GIB = 1 << 30
MIB = 1 << 20


def _shape(*, gib: float = 4.4, layers: int = 32, kv_values: int = 2048, head_values: int = 128) -> ModelShape:
    """An 8B model in 4 bits, or something like it."""
    layer = Layer(int(gib * GIB / layers), kv_values, 0, 0)
    return ModelShape(
        architecture="llama",
        layers=(layer,) * layers,
        input_bytes=int(0.28 * GIB),
        output_bytes=int(0.41 * GIB),
        shared_output_bytes=0,
        trained_context=131_072,
        embedding=4096,
        feed_forward=14_336,
        heads=32,
        head_values=head_values,
        vocabulary=128_256,
    )


def _machine(*gpu_gib: float, free: float | None = None, ram: float = 16, offloads: bool = True) -> Machine:
    devices = [Device("CPU", "a processor", "cpu", "CPU", 0, 0)]
    for number, size in enumerate(gpu_gib):
        left = size * 0.93 if free is None else free
        devices.append(Device(f"CUDA{number}", "a card", "gpu", "CUDA", int(left * GIB), int(size * GIB)))
    memory = Memory(int(ram * 0.8 * GIB), int(ram * GIB))
    return Machine(devices=tuple(devices), memory=memory, cores=8, offloads=offloads)


@pytest.fixture
def log() -> Iterator[LogTail]:
    log = LogTail(verbose=True)
    yield log
    log.close()


def _allocated(lines: list[str], what: str) -> float:
    """Return the MiB that llama.cpp says it allocated."""
    return sum(float(match[1]) for line in lines if (match := re.search(rf"{what} =\s+([\d.]+) MiB", line)))


def _load(path: Path, chosen: OffloadPlan, log: LogTail) -> list[str]:
    llama = load_llama()
    header = read_model(path)
    loaded = LoadedModel(
        llama,
        header,
        chosen,
        threads=1,
        abort=AbortFlag(llama),
        log=log,
        report=lambda _done, _total: None,
        meanwhile=lambda: None,
    )
    loaded.close()
    return log.lines()


MODELS = {
    "grouped heads": TinyModel(layers=3, context=4096),
    "odd sizes": TinyModel(embedding=48, heads=3, kv_heads=1, layers=5, feed_forward=80, tied=False, context=4096),
    "wide heads": TinyModel(architecture="qwen3", head_values=32, context=4096),
    "sliding windows": TinyModel(architecture="gemma3", layers=7, head_values=32, window=64, context=4096),
    "no attention": TinyModel(architecture="mamba", context=4096),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_kv_cache_is_as_large_as_reckoned(name: str, tmp_path: Path, log: LogTail) -> None:
    path = write_gguf(tmp_path / "m.gguf", MODELS[name])
    shape = read_shape(read_model(path))
    chosen = plan(shape, _machine(), PlanRequest(context=4096))
    lines = _load(path, chosen, log)
    reckoned = next(part.host_bytes for part in chosen.parts if part.name.startswith("KV cache")) / MIB
    allocated = _allocated(lines, "KV buffer size") + _allocated(lines, "RS buffer size")
    assert reckoned == pytest.approx(allocated, abs=0.011)


def test_windows_without_a_full_cache_are_as_large_as_reckoned(tmp_path: Path, log: LogTail) -> None:
    path = write_gguf(tmp_path / "m.gguf", MODELS["sliding windows"])
    shape = read_shape(read_model(path))
    # Too little memory for full caches, enough for windows.
    tight = Machine(devices=(), memory=Memory(256 * MIB + 5 * MIB + 3 * MIB + 9 * MIB, GIB), cores=1)
    chosen = plan(shape, tight, PlanRequest(context=4096))
    assert not chosen.full_window_cache
    lines = _load(path, chosen, log)
    reckoned = next(part.host_bytes for part in chosen.parts if part.name.startswith("KV cache")) / MIB
    assert reckoned == pytest.approx(_allocated(lines, "KV buffer size"), abs=0.011)


@pytest.mark.parametrize("context", [512, 2048, 8192])
def test_compute_buffers_of_the_starter_are_estimated_from_above_and_not_by_half(
    starter_path: Path, log: LogTail, context: int
) -> None:
    chosen = plan(read_shape(read_model(starter_path)), _machine(), PlanRequest(context=context))
    allocated = _allocated(_load(starter_path, chosen, log), "compute buffer size")
    reckoned = next(part.host_bytes for part in chosen.parts if part.name == "compute buffers") / MIB
    assert allocated * 0.95 <= reckoned <= allocated * 1.5


def test_weights_add_up_to_the_file(starter_path: Path) -> None:
    header = read_model(starter_path)
    assert read_shape(header).weight_bytes == sum(tensor.size_bytes for tensor in header.tensors)


def test_without_a_gpu_everything_stays_on_the_cpu() -> None:
    chosen = plan(_shape(), _machine())
    assert (chosen.gpu_layers, chosen.gpu_bytes) == (0, 0)
    assert "llama.cpp reports no GPU" in chosen.lines[-1]


def test_a_gpu_that_the_build_cannot_use_gets_nothing() -> None:
    chosen = plan(_shape(), _machine(24, offloads=False))
    assert chosen.gpu_layers == 0
    assert "this build of llama.cpp cannot use it" in chosen.lines[-1]


def test_a_large_gpu_holds_every_layer_and_the_output() -> None:
    chosen = plan(_shape(), _machine(24))
    assert (chosen.gpu_layers, chosen.context, chosen.kv_type) == (33, 8192, "f16")


def test_a_quantised_cache_is_taken_where_it_brings_the_whole_model_onto_the_gpu() -> None:
    free = 5.92 + 0.5 - 0.2
    chosen = plan(_shape(), _machine(8, free=free))
    assert (chosen.gpu_layers, chosen.kv_type, chosen.context) == (33, "q8_0", 8192)
    assert plan(_shape(head_values=80), _machine(8, free=free)).kv_type == "f16"


def test_a_shorter_context_is_taken_before_layers_leave_the_gpu() -> None:
    chosen = plan(_shape(), _machine(8, free=5.75))
    assert (chosen.gpu_layers, chosen.context) == (33, 4096)
    assert any("8,192 tokens does not fit, 4,096 does" in line for line in chosen.lines)


def test_a_small_gpu_gets_as_many_layers_as_fit_and_the_sums_say_so() -> None:
    room = 4 * 0.93
    chosen = plan(_shape(), _machine(4))
    assert 0 < chosen.gpu_layers < 33
    assert chosen.gpu_bytes <= (room - 0.5) * GIB
    one_more = plan(_shape(), _machine(4), PlanRequest(gpu_layers=chosen.gpu_layers + 1))
    assert one_more.gpu_bytes > (room - 0.5) * GIB


def test_a_tiny_gpu_gets_nothing() -> None:
    assert plan(_shape(), _machine(1)).gpu_layers == 0


def test_two_gpus_hold_more_than_one_and_less_than_one_of_twice_the_size() -> None:
    one, two, large = (
        plan(_shape(gib=30), machine).gpu_layers for machine in (_machine(12), _machine(12, 12), _machine(24))
    )
    assert one < two <= large


def test_layers_that_were_asked_for_are_taken_and_a_doubt_is_told() -> None:
    chosen = plan(_shape(), _machine(4), PlanRequest(gpu_layers=99))
    assert chosen.gpu_layers == 33
    assert "as asked, though only" in chosen.lines[-1]
    assert plan(_shape(), _machine(24), PlanRequest(gpu_layers=0)).gpu_layers == 0
    assert plan(_shape(), _machine(), PlanRequest(gpu_layers=10)).gpu_layers == 0


def test_a_context_beyond_the_models_training_is_cut_and_told(tmp_path: Path) -> None:
    shape = read_shape(read_model(write_gguf(tmp_path / "m.gguf", TinyModel(context=512))))
    chosen = plan(shape, _machine(), PlanRequest(context=9999))
    assert chosen.context == 512
    assert any("trained on 512 tokens: the context of 9,999 is cut" in line for line in chosen.lines)


def test_a_context_that_was_asked_for_is_kept_even_when_memory_is_tight() -> None:
    chosen = plan(_shape(), _machine(ram=7), PlanRequest(context=8192))
    assert chosen.context == 8192
    assert chosen.is_tight
    assert "memory is tight" in chosen.lines[-1]


def test_a_model_larger_than_the_memory_does_not_fit() -> None:
    chosen = plan(_shape(), _machine(ram=4))
    assert not chosen.fits_host
    assert chosen.lines[-1] == "it does not fit into this computer's memory"
    assert plan(_shape(), _machine(24, ram=4)).fits_host


def test_what_failed_before_is_not_tried_again() -> None:
    chosen = plan(_shape(), _machine(24), PlanRequest(most_gpu_layers=20, most_context=4096))
    assert (chosen.gpu_layers, chosen.context) == (20, 4096)


def test_an_adapter_takes_its_share() -> None:
    without = plan(_shape(), _machine(24))
    chosen = plan(_shape(), _machine(24), PlanRequest(adapter_bytes=32 * MIB))
    assert chosen.gpu_bytes - without.gpu_bytes == 32 * MIB


def test_large_batches_of_scores_are_avoided_with_flash_attention() -> None:
    assert plan(_shape(), _machine(ram=64), PlanRequest(context=4096)).flash_attention is False
    assert plan(_shape(), _machine(ram=64), PlanRequest(context=131_072)).flash_attention is True
    assert plan(_shape(), _machine(24)).flash_attention is None


def test_every_line_of_sums_adds_up() -> None:
    chosen = plan(_shape(), _machine(6))
    assert sum(part.host_bytes for part in chosen.parts) == chosen.host_bytes
    assert sum(part.gpu_bytes for part in chosen.parts) == chosen.gpu_bytes
    assert [line.split(":")[0] for line in chosen.lines[2 : 2 + len(chosen.parts)]] == [p.name for p in chosen.parts]
