"""What this machine can run models on: the devices that llama.cpp reports, memory and cores."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

from satchel.runtime.engine.bindings import load_ggml, load_llama

DeviceKind: TypeAlias = Literal["cpu", "gpu", "igpu", "accel"]
_KINDS: tuple[DeviceKind, ...] = ("cpu", "gpu", "igpu", "accel")
_CGROUP = Path("/sys/fs/cgroup")
_CPUS = Path("/sys/devices/system/cpu")


class Device(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One device of llama.cpp; memory in bytes."""

    name: str
    description: str
    kind: DeviceKind
    backend: str
    free_bytes: int
    total_bytes: int


class Memory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The computer's own memory in bytes; in a container, what the container may use."""

    available_bytes: int
    total_bytes: int


class Machine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that a plan depends on."""

    devices: tuple[Device, ...]
    memory: Memory
    cores: int
    """Physical ones that this process may use."""
    features: tuple[str, ...] = ()
    """CPU and build features, as llama.cpp names them."""
    version: str = ""
    """Of llama.cpp."""
    offloads: bool = False
    """The build can use a GPU at all."""

    @property
    def gpus(self) -> tuple[Device, ...]:
        """The devices that layers go to: discrete GPUs, else integrated ones (llama.cpp's own rule)."""
        discrete = tuple(device for device in self.devices if device.kind == "gpu")
        return discrete or tuple(device for device in self.devices if device.kind == "igpu")


def probe_machine() -> Machine:
    """Ask llama.cpp and the system. In a worker process: a driver that fails takes its process along."""
    llama, ggml = load_llama(), load_ggml()
    llama.llama_backend_init()
    devices = tuple(_device(ggml, number) for number in range(ggml["ggml_backend_dev_count"]()))
    features = llama.llama_print_system_info().decode(errors="replace")
    return Machine(
        devices=devices,
        memory=read_memory(),
        cores=physical_cores(),
        features=tuple(_enabled(features)),
        version=llama.llama_version().decode(errors="replace"),
        offloads=bool(llama.llama_supports_gpu_offload()),
    )


def read_memory() -> Memory:
    """Return the memory of this computer, or of the container that this process runs in."""
    total, available = _system_memory()
    limit, used = _cgroup_number("memory.max"), _cgroup_number("memory.current")
    if limit is not None and limit < total:
        total = limit
        available = min(available, limit - (used or 0))
    return Memory(max(available, 0), total)


def physical_cores() -> int:
    """Return the number of cores that this process may use, hyperthreads counted once, a container's quota kept.

    A second thread on a core adds nothing to a model's arithmetic; a thread more than there are cores makes every
    barrier wait for the scheduler. llama.cpp's own default is 4, whatever the machine, for prompts and for tokens each.
    """
    allowed = os.sched_getaffinity(0) if sys.platform == "linux" else set(range(os.cpu_count() or 1))
    siblings = set()
    for cpu in allowed:
        try:
            siblings.add((_CPUS / f"cpu{cpu}/topology/thread_siblings_list").read_text().strip())
        except OSError:
            siblings.add(str(cpu))
    cores = len(siblings) or 1
    if sys.platform == "darwin":
        cores = _sysctl("hw.perflevel0.physicalcpu") or _sysctl("hw.physicalcpu") or cores
    with contextlib.suppress(OSError, ValueError):
        quota, period = (_CGROUP / "cpu.max").read_text().split()
        if quota != "max":
            cores = min(cores, max(1, int(quota) // int(period)))
    return cores


def _device(ggml: dict[str, Any], number: int) -> Device:
    handle = ggml["ggml_backend_dev_get"](number)
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    ggml["ggml_backend_dev_memory"](handle, ctypes.byref(free), ctypes.byref(total))
    kind = ggml["ggml_backend_dev_type"](handle)
    backend = ggml["ggml_backend_reg_name"](ggml["ggml_backend_dev_backend_reg"](handle))
    return Device(
        name=ggml["ggml_backend_dev_name"](handle).decode(errors="replace"),
        description=ggml["ggml_backend_dev_description"](handle).decode(errors="replace"),
        kind=_KINDS[kind] if kind < len(_KINDS) else "accel",
        backend=backend.decode(errors="replace"),
        free_bytes=free.value,
        total_bytes=total.value,
    )


def _enabled(system_info: str) -> list[str]:
    """Return what "CPU : AVX2 = 1 | SSE3 = 0 | REPACK = 1 | " switches on."""
    found = []
    for part in system_info.replace(":", "|").split("|"):
        name, equals, value = part.partition("=")
        if equals and value.strip() not in ("0", ""):
            found.append(name.strip())
    return found


def _system_memory() -> tuple[int, int]:
    """Return total and available bytes."""
    if sys.platform == "win32":
        return _windows_memory()
    if sys.platform == "darwin":
        total = _sysctl("hw.memsize") or 0
        # What macOS can make free is not told in one number; it compresses and purges before it swaps.
        return total, total * 3 // 4
    fields = {}
    with contextlib.suppress(OSError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            name, _, value = line.partition(":")
            fields[name] = int(value.split()[0]) << 10
    total = fields.get("MemTotal", 0)
    return total, fields.get("MemAvailable", total)


def _windows_memory() -> tuple[int, int]:
    class Status(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            ("total", ctypes.c_ulonglong),
            ("available", ctypes.c_ulonglong),
            ("rest", ctypes.c_ulonglong * 5),
        )

    status = Status(length=ctypes.sizeof(Status))
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - the attribute exists on Windows only
    kernel.GlobalMemoryStatusEx(ctypes.byref(status))
    return status.total, status.available


def _sysctl(name: str) -> int | None:
    value, size = ctypes.c_uint64(), ctypes.c_size_t(8)
    with contextlib.suppress(OSError, AttributeError):
        if ctypes.CDLL(None).sysctlbyname(name.encode(), ctypes.byref(value), ctypes.byref(size), None, 0) == 0:
            return value.value
    return None


def _cgroup_number(name: str) -> int | None:
    try:
        return int((_CGROUP / name).read_text())
    except (OSError, ValueError):
        return None
