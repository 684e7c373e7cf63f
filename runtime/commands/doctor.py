"""`satchel doctor`: what this machine can run, which models are there, and how each would be loaded."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from satchel.runtime.commands.tool_states import SandboxWay, ToolState, sandbox_ways, tool_states
from satchel.runtime.engine.choice import GgufFile, Quote, find_model, list_models
from satchel.runtime.engine.client import EngineClient
from satchel.runtime.engine.devices import Machine
from satchel.runtime.engine.gguf_header import read_model
from satchel.runtime.engine.model_shape import read_shape
from satchel.runtime.engine.plan import PlanRequest, plan
from satchel.runtime.engine.sizes import in_words
from satchel.runtime.engine.starter import find_starter
from satchel.runtime.errors import SatchelError
from satchel.runtime.paths import Home
from satchel.runtime.sandbox.known import KnownSandbox
from satchel.runtime.sandbox.probes import find_sandbox

_DISTRIBUTION = "satchel-assistants"
_ENGINE = "llama-cpp-python"
# What each extra brings; looked for, never imported.
_EXTRAS = {
    "embed": ("sentence_transformers",),
    "openvino": ("openvino",),
    "builder": ("PySide6",),
    "ocr": ("rapidocr",),
    "interpreter": ("numpy", "pandas", "matplotlib"),
    "train": ("torch", "transformers", "peft"),
}


class ModelReport(msgspec.Struct, frozen=True, kw_only=True):
    """One model, and how it would be loaded; `problem` says why it would not."""

    name: str
    path: str
    size_bytes: int = 0
    architecture: str = ""
    gpu_layers: int = 0
    layers: int = 0
    context: int = 0
    plan: tuple[str, ...] = ()
    problem: str = ""


class DoctorReport(msgspec.Struct, frozen=True, kw_only=True):
    """What `doctor` found. Its JSON form is part of the command's contract."""

    version: str
    engine_version: str
    machine: Machine | None
    """None when the engine could not be asked; `problems` says why."""
    backends: tuple[str, ...]
    gpu_hint: str
    """The command that installs a build of llama.cpp for this machine's GPU; empty where none is needed."""
    gpu_reason: str
    extras: dict[str, bool]
    models: tuple[ModelReport, ...]
    sandbox: str
    sandbox_ways: tuple[SandboxWay, ...]
    tools: tuple[ToolState, ...]
    problems: tuple[str, ...]


def doctor(home: Home, models: Sequence[str] = (), *, context: int = 0, gpu_layers: int | None = None) -> DoctorReport:
    """Look at this machine; `models` are references as `--model` takes them, without any all that are found.

    Nothing is loaded, and nothing but the cache is changed. What cannot be found out is a line in `problems`, no error.
    """
    problems: list[str] = []
    machine = _ask_engine(problems)
    backends = tuple(sorted({device.backend for device in machine.devices})) if machine is not None else ()
    hint, reason = gpu_build(machine)
    # Anew, and every way: a person who looks here has likely changed something. What is found serves later commands.
    sandbox = KnownSandbox(home.cache, find=lambda: find_sandbox(every_way=True)).state(fresh=True)
    request = PlanRequest(context=context, gpu_layers=gpu_layers)
    return DoctorReport(
        version=_version(_DISTRIBUTION),
        engine_version=_version(_ENGINE),
        machine=machine,
        backends=backends,
        gpu_hint=hint,
        gpu_reason=reason,
        extras=_extras(home),
        models=tuple(_reports(home, models, machine, request)),
        sandbox=sandbox.in_words,
        sandbox_ways=sandbox_ways(sandbox),
        tools=tool_states(sandbox, home),
        problems=tuple(problems),
    )


def explain(report: DoctorReport) -> list[str]:
    """Return the report as lines for a terminal."""
    lines = [f"Satchel {report.version}, {_ENGINE} {report.engine_version}"]
    if report.machine is not None:
        machine = report.machine
        memory = f"{in_words(machine.memory.available_bytes)} of {in_words(machine.memory.total_bytes)} available"
        lines.append(f"computer: {machine.cores} cores, memory {memory}")
        lines += [
            f"device: {device.name} ({device.description}), {device.kind}, "
            f"{in_words(device.free_bytes)} of {in_words(device.total_bytes)} free"
            for device in machine.devices
        ]
        lines.append(f"backends: {', '.join(report.backends)}; {' '.join(machine.features)}")
    lines.append(f"GPU: {report.gpu_reason}")
    if report.gpu_hint:
        lines.append(f"  {report.gpu_hint}")
    lines.append("extras: " + ", ".join(f"{name} {'yes' if there else 'no'}" for name, there in report.extras.items()))
    lines.append(f"sandbox: {report.sandbox}")
    lines += [f"  {one.way}: {one.problem or 'holds'}" for one in report.sandbox_ways]
    if report.sandbox.startswith("off"):
        lines.append("  documents are read in a plain child process, with limits of time and memory")
    usable = [one for one in report.tools if not one.off]
    lines.append(f"tools: {', '.join(one.name for one in usable)}")
    lines += [f"  {one.name}, but {one.limited}" for one in usable if one.limited]
    lines += [f"  {one.name} is off: {one.off}" for one in report.tools if one.off]
    if not report.models:
        lines.append("models: none found")
    for model in report.models:
        lines.append(f"model {model.name}: {model.problem or f'{in_words(model.size_bytes)}, {model.architecture}'}")
        lines += [f"  {line}" for line in model.plan]
    lines += [f"problem: {problem}" for problem in report.problems]
    return lines


@dataclass(frozen=True, slots=True)
class System:
    """Where to look for a GPU that llama.cpp does not report; tests describe another computer."""

    platform: str = sys.platform
    root: Path = Path("/")
    programs: str | None = None
    """Folders of programs, as in PATH; None: this process's own."""


def gpu_build(machine: Machine | None, system: System = System()) -> tuple[str, str]:
    """Return the command that installs a GPU build for this machine, empty where none is needed, and the reason."""
    if machine is not None and machine.gpus and machine.offloads:
        return "", f"llama.cpp uses {', '.join(gpu.name for gpu in machine.gpus)}"
    found, flag = _find_gpu(system)
    if not flag:
        return "", "none found; the CPU build is the right one"
    return install_command(
        flag, _version(_ENGINE), system.platform
    ), f"{found}, which this build of llama.cpp cannot use; install one:"


def install_command(flag: str, version: str, platform: str) -> str:
    """Return the command that builds llama-cpp-python with a CMake flag. `--no-deps`: NumPy must not move with it."""
    pip = f"pip install --force-reinstall --no-deps --no-cache-dir {_ENGINE}=={version}"
    if platform == "win32":
        return f"$env:CMAKE_ARGS='{flag}'; {pip}"
    return f'CMAKE_ARGS="{flag}" {pip}'


def _find_gpu(system: System) -> tuple[str, str]:
    """Return the GPU that the system shows, and the CMake flag of the backend for it."""

    def has_program(name: str) -> bool:
        return shutil.which(name, path=system.programs) is not None

    if system.platform == "darwin":
        return "Apple's GPU", "-DGGML_METAL=on"
    if (system.root / "proc/driver/nvidia/version").exists() or has_program("nvidia-smi"):
        return "an NVIDIA GPU", "-DGGML_CUDA=on"
    if (system.root / "dev/kfd").exists() and (has_program("hipcc") or has_program("rocminfo")):
        return "an AMD GPU with ROCm", "-DGGML_HIP=on"
    if any((system.root / "dev/dri").glob("renderD*")) or (system.platform == "win32" and has_program("vulkaninfo")):
        return "a GPU that Vulkan may drive", "-DGGML_VULKAN=on"
    return "", ""


def _ask_engine(problems: list[str]) -> Machine | None:
    # In a worker: a GPU driver that fails takes its process along.
    try:
        with EngineClient() as engine:
            return engine.machine()
    except SatchelError as error:
        problems.append(f"{error.message} {error.advice}".strip())
        return None


def _reports(home: Home, references: Sequence[str], machine: Machine | None, request: PlanRequest) -> list[ModelReport]:
    if references:
        return [_report_reference(home, reference, machine, request) for reference in references]
    found = list_models(home)
    try:
        starter = find_starter(home)
    except SatchelError:
        pass  # `extras` says so
    else:
        if all(model.path != starter for model in found):
            found.append(GgufFile(starter, "starter", is_starter=True))
    return [_report(model, machine, request) for model in found]


def _report_reference(home: Home, reference: str, machine: Machine | None, request: PlanRequest) -> ModelReport:
    try:
        choice = find_model(reference, home)
    except SatchelError as error:
        return ModelReport(name=reference, path="", problem=error.message)
    if isinstance(choice, Quote):
        return ModelReport(name=reference, path="", problem="quotes exactly and needs no plan")
    return _report(choice, machine, request)


def _report(model: GgufFile, machine: Machine | None, request: PlanRequest) -> ModelReport:
    try:
        header = read_model(model.path)
        shape = read_shape(header)
    except SatchelError as error:
        return ModelReport(name=model.name, path=str(model.path), problem=error.message)
    report = ModelReport(
        name=model.name,
        path=str(model.path),
        size_bytes=header.file_bytes,
        architecture=header.architecture,
        layers=len(shape.layers),
    )
    if machine is None:
        return msgspec.structs.replace(report, problem="no plan: the engine could not be asked")
    chosen = plan(shape, machine, request)
    return msgspec.structs.replace(report, gpu_layers=chosen.gpu_layers, context=chosen.context, plan=chosen.lines)


def _extras(home: Home) -> dict[str, bool]:
    found = {name: all(map(_is_installed, modules)) for name, modules in _EXTRAS.items()}
    try:
        find_starter(home)
    except SatchelError:
        return {"starter": False, **found}
    return {"starter": True, **found}


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
