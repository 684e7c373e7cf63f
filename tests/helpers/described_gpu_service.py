"""An engine's worker on a machine that is described to have a GPU, whose driver may end the process.

llama.cpp itself is the real one: of a build without GPU backends, it keeps all layers on the CPU.
"""

from __future__ import annotations

import os
from typing import Any

from satchel.runtime.engine.base import LOADING_ONTO_GPU
from satchel.runtime.engine.devices import Device, Machine, Memory
from satchel.runtime.engine.llama import LlamaEngine
from satchel.runtime.engine.service import EngineService
from satchel.runtime.worker.service import Call, Method

DEATHS = "DESCRIBED_GPU_DEATHS"
"""Environment variable: how often loading ends the process before it works."""
GIB = 1 << 30


def describe_gpu(*, free: int = 22 * GIB) -> Machine:
    """Return a machine with one large GPU that llama.cpp is said to support."""
    gpu = Device("CUDA0", "a described card", "gpu", "CUDA", free, 24 * GIB)
    return Machine(devices=(gpu,), memory=Memory(32 * GIB, 64 * GIB), cores=2, offloads=True)


def methods() -> dict[str, Method]:
    """Return the methods of an engine on that machine."""
    table = EngineService(LlamaEngine(probe=describe_gpu)).methods()
    load = table["load"]

    def load_or_die(params: dict[str, Any], call: Call) -> Any:
        if params["deaths"] < int(os.environ.get(DEATHS, "0")):
            call.emit((LOADING_ONTO_GPU, 0, 100))
            os.write(2, b"CUDA error: out of memory\n")
            os.abort()
        return load(params, call)

    return {**table, "load": load_or_die}
