"""Which backend runs, and why."""

from __future__ import annotations

from satchel.kernels.backend import Backend
from satchel.kernels.errors import BackendUnavailableError
from satchel.kernels.reference import NumpyBackend


def choose(name: str | None = None) -> Backend:
    """Return the named backend, or the fastest one that this machine has."""
    if name not in (None, "numpy"):
        raise BackendUnavailableError(f"kernels: backend {name!r} is not available")
    return NumpyBackend()
