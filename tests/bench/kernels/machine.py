"""What a benchmark ran on: processor, versions, commit, and the memory bandwidth of one thread."""

from __future__ import annotations

import ctypes
import importlib.metadata
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from real_vectors import ROOT

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "SATCHEL_KERNELS_THREADS"), "1"
)
"""Environment of a child that may use one thread."""


def describe(packages: Iterable[str]) -> dict[str, Any]:
    """Return the machine, the versions of these packages, and the commit."""
    versions = {}
    for package in packages:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed"
    cpu_lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    cpu = next((line.split(":")[1].strip() for line in cpu_lines if line.startswith("model name")), "")
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    from satchel.kernels import dispatch

    return {
        "processor": cpu or platform.processor(),
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0],
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": versions,
        "commit": commit.stdout.strip(),
        "kernels": dispatch.explain().chosen,
    }


class Bandwidth:
    """bandwidth.c, compiled for this machine."""

    def __init__(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            library = Path(folder) / "bandwidth.so"
            source = Path(__file__).with_name("bandwidth.c")
            command = ["cc", "-O3", "-march=native", "-shared", "-fPIC", str(source), "-o", str(library)]
            subprocess.run(command, check=True)
            self._loaded = ctypes.CDLL(str(library))
        self._loaded.read_words.restype = ctypes.c_uint64
        self._loaded.read_words.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t]
        self._loaded.halve_words.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p]

    def read(self, size: int, seconds: float = 0.6) -> float:
        """Return GB/s of reading an array of `size` bytes again and again, the best of fetching ahead or not."""
        array = np.ones(max(8, size // 8), np.uint64)
        ahead = (0, 4096, 8192)
        best = (
            fastest(lambda a=a: self._loaded.read_words(array.ctypes.data, array.size, a), seconds / 3) for a in ahead
        )
        return array.nbytes / min(best) / 1e9

    def halve(self, rows: int, dimension: int, seconds: float = 1.0) -> float:
        """Return GB/s, read and written together, of a loop that reads four bytes for every two it writes."""
        array = np.ones(rows * dimension, np.uint32)
        first, second = np.ones(array.size, np.uint8), np.ones(array.size, np.uint8)
        run = lambda: self._loaded.halve_words(array.ctypes.data, array.size, first.ctypes.data, second.ctypes.data)  # noqa: E731 - a closure to time
        return 1.5 * array.nbytes / fastest(run, seconds) / 1e9


def wait_for_quiet(most_load: float, minutes: float) -> float:
    """Wait until the load of the last minute is below `most_load`, or for so many minutes; return the load."""
    deadline = time.monotonic() + 60 * minutes
    while os.getloadavg()[0] >= most_load and time.monotonic() < deadline:
        time.sleep(5)
    return os.getloadavg()[0]


def fastest(run: Callable[[], object], seconds: float) -> float:
    """Return the shortest of as many runs as fit, in seconds of the processor (see interleaved.py)."""
    best, deadline = float("inf"), time.perf_counter() + seconds
    while True:
        started = time.process_time()
        run()
        best = min(best, time.process_time() - started)
        if time.perf_counter() > deadline:
            return best
