"""Which backend runs, and why.

The library is looked for in every folder of `satchel.kernels.__path__` (an installed wheel has it there) and, in a
checkout, where the README's two CMake commands put it: `.cache/kernels` beside the `kernels` folder.

The environment variable SATCHEL_KERNELS overrides the choice for the process: the name of a backend (`numpy`, `serial`,
`avx2`, `avx512`), or the path (with a slash in it) of a library file to use in place of the one that is found.
SATCHEL_KERNELS_THREADS limits the threads of a large scan.
"""

from __future__ import annotations

import ctypes
import functools
import os
from dataclasses import dataclass
from pathlib import Path

import satchel.kernels
from satchel.kernels.backend import Backend
from satchel.kernels.errors import BackendUnavailableError
from satchel.kernels.library import find_library, load_library
from satchel.kernels.native import NativeBackend
from satchel.kernels.reference import NumpyBackend

OVERRIDE_VARIABLE = "SATCHEL_KERNELS"
THREADS_VARIABLE = "SATCHEL_KERNELS_THREADS"
NUMPY = "numpy"
NATIVE = ("avx512", "avx2", "serial")
"""What a library may hold, the fastest first."""


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a backend can run here."""

    name: str
    available: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What `explain` found."""

    chosen: str
    """The backend that runs when none is named; empty when the override names one that is missing."""
    reason: str
    library: Path | None
    backends: tuple[Availability, ...]

    def __str__(self) -> str:
        lines = [f"kernels: {self.chosen or 'none'} ({self.reason})", f"library: {self.library or 'none'}"]
        lines += [f"  {'+' if b.available else '-'} {b.name}: {b.reason}" for b in self.backends]
        return "\n".join(lines)


@functools.lru_cache(maxsize=32)
def choose(name: str | None = None) -> Backend:
    """Return the named backend; without a name, the environment's choice or else the fastest one.

    The environment is read once for each name, because reading it takes as long as a small scan
    (`choose.cache_clear()` makes it be read again).

    Raises:
        BackendUnavailableError: the named backend cannot run here. There is no silent fallback from a name.
    """
    override, threads = os.environ.get(OVERRIDE_VARIABLE, ""), os.environ.get(THREADS_VARIABLE, "")
    wanted = name or (None if _is_path(override) else override) or None
    if wanted == NUMPY:
        return NumpyBackend()
    _, loaded, problem = _open_library(override)
    if wanted is None and loaded is None and not override:
        return NumpyBackend()
    for candidate in NATIVE if wanted is None else (wanted,):
        handle = _handle_of(candidate, loaded)
        if loaded is not None and handle:
            return NativeBackend(loaded, handle, candidate, int(threads) if threads.isdecimal() else None)
    if wanted is None:
        raise BackendUnavailableError(f"kernels: {OVERRIDE_VARIABLE}: {problem}")
    raise BackendUnavailableError(f"kernels: {wanted}: {_availability(wanted, loaded, problem).reason}")


def explain() -> Explanation:
    """Return which backend runs, why, and why each of the others does not."""
    override = os.environ.get(OVERRIDE_VARIABLE, "")
    path, loaded, problem = _open_library(override)
    backends = tuple(_availability(name, loaded, problem) for name in (*NATIVE, NUMPY))
    try:
        chosen = choose().name
    except BackendUnavailableError as error:
        return Explanation(chosen="", reason=str(error), library=path, backends=backends)
    reason = f"{OVERRIDE_VARIABLE}={override}" if override else "the fastest that can run here"
    return Explanation(chosen=chosen, reason=reason, library=path, backends=backends)


@functools.lru_cache(maxsize=8)
def _open_library(override: str) -> tuple[Path | None, ctypes.CDLL | None, str]:
    """Return the library's path, the library, and what was wrong where there is none."""
    if _is_path(override):
        path: Path | None = Path(override)
    else:
        packages = [Path(folder) for folder in satchel.kernels.__path__]
        path = find_library([*packages, *(folder.resolve().parent / ".cache" / "kernels" for folder in packages)])
    if path is None:
        return None, None, "no compiled library: install a C compiler, then Satchel again (see kernels/README.md)"
    try:
        return path, load_library(path), ""
    except OSError as error:
        return path, None, f"{path} cannot be used: {error}"


def _is_path(override: str) -> bool:
    return "/" in override or os.sep in override


def _handle_of(name: str, loaded: ctypes.CDLL | None) -> int | None:
    """Return the library's backend of that name, if this processor can run it."""
    for handle in _handles(loaded):
        assert loaded is not None
        if loaded.sk_backend_name(handle).decode() == name and loaded.sk_backend_supported(handle):
            return handle
    return None


def _handles(loaded: ctypes.CDLL | None) -> list[int]:
    if loaded is None:
        return []
    return [handle for handle in (loaded.sk_backend_at(i) for i in range(len(NATIVE))) if handle]


def _availability(name: str, loaded: ctypes.CDLL | None, problem: str) -> Availability:
    if name == NUMPY:
        return Availability(name, available=True, reason="the reference, always there")
    if name not in NATIVE:
        return Availability(name, available=False, reason=f"no such backend; there are {', '.join((*NATIVE, NUMPY))}")
    if loaded is None:
        return Availability(name, available=False, reason=problem)
    if name not in [loaded.sk_backend_name(handle).decode() for handle in _handles(loaded)]:
        return Availability(name, available=False, reason="not compiled in for this processor family")
    if _handle_of(name, loaded) is None:
        return Availability(name, available=False, reason="this processor lacks the instructions")
    return Availability(name, available=True, reason="compiled in, and this processor has the instructions")
