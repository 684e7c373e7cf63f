"""What this machine is, and which of a described machine's devices layers go to."""

from __future__ import annotations

import os

from helpers.python_processes import run_python

from satchel.runtime.engine.bindings import LogTail, build_identity, library_folder, reason_from
from satchel.runtime.engine.devices import Device, Machine, Memory, physical_cores, probe_machine, read_memory

CPU = Device("CPU", "a processor", "cpu", "CPU", 0, 0)
INTEGRATED = Device("Vulkan0", "part of the processor", "igpu", "Vulkan", 1, 2)
DISCRETE = Device("CUDA0", "a card", "gpu", "CUDA", 1, 2)


def _machine(*devices: Device) -> Machine:
    return Machine(devices=devices, memory=Memory(1, 2), cores=1)


def test_this_machine_is_described_by_llama_cpp_and_the_system():
    machine = probe_machine()

    assert any(device.kind == "cpu" and device.backend == "CPU" for device in machine.devices)
    assert machine.version
    assert all(feature and "=" not in feature for feature in machine.features)
    assert machine.cores == physical_cores()


def test_cores_are_no_more_than_this_process_may_use():
    assert 1 <= physical_cores() <= len(os.sched_getaffinity(0))


def test_memory_is_what_this_computer_or_container_has():
    memory = read_memory()

    assert 0 < memory.available_bytes <= memory.total_bytes


def test_layers_go_to_discrete_gpus_and_to_integrated_ones_only_where_there_is_nothing_else():
    assert _machine(CPU).gpus == ()
    assert _machine(CPU, INTEGRATED).gpus == (INTEGRATED,)
    assert _machine(CPU, INTEGRATED, DISCRETE).gpus == (DISCRETE,)


def test_a_build_is_told_from_another_by_its_libraries():
    identity = build_identity()

    assert identity == build_identity()
    assert any(file.name.startswith("libllama") for file in library_folder().iterdir())


def test_the_cause_of_a_failure_is_told_without_its_functions_name():
    assert (
        reason_from(["llama_model_load: error loading model: bad key", "load: failed"])
        == "error loading model: bad key"
    )
    assert reason_from(["  ", "only a warning"]) == "only a warning"
    assert reason_from([]) == "llama.cpp gave no reason"


def test_errors_tell_more_than_warnings_that_sound_like_them():
    log = LogTail()
    try:
        log._take(3, b"special token unknown_token_id is out of range\n", None)
        log._take(4, b"load: ", None)
        log._take(5, b"no room\n", None)
        log._take(2, b"not worth keeping\n", None)
        assert log.lines() == ["special token unknown_token_id is out of range", "load: no room"]
        assert log.reason() == "no room"
        log.clear()
        assert log.reason() == "llama.cpp gave no reason"
    finally:
        log.close()


def test_the_bindings_bring_no_more_than_the_declarations_and_leave_the_package_usable():
    code = (
        "import sys; from satchel.runtime.engine.bindings import load_llama; llama = load_llama();"
        "print('llama_cpp.llama_chat_format' in sys.modules, 'jinja2' in sys.modules);"
        "import llama_cpp; print(llama_cpp.llama_cpp is llama, llama_cpp.Llama.__name__)"
    )
    done = run_python(code)

    assert done.stdout.split() == ["False", "False", "True", "Llama"], done.stderr
