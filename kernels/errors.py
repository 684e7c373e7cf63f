"""What the kernels raise besides ValueError and TypeError. They import nothing of Satchel's, so neither does this."""

from __future__ import annotations


class BackendUnavailableError(RuntimeError):
    """A backend was asked for by name and this machine or this installation does not have it.

    Its text names the backend and the reason, as `dispatch.explain()` gives it. Never answered by a silent fallback.
    """
