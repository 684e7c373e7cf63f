"""What confines a program: bubblewrap and Landlock, or Landlock alone; seccomp and limits in any case."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from satchel.runtime.sandbox.seccomp import FilterOptions, compile_filter

SCOPES_SIGNALS_SINCE = 6


@dataclass(frozen=True, slots=True)
class Confinement:
    """A way of confining; that it holds is for `probes` to say."""

    bwrap: str | None
    """Path of bubblewrap; None: without namespaces."""
    landlock_abi: int
    """0: this kernel has no Landlock."""

    @property
    def in_words(self) -> str:
        """What it consists of."""
        parts = ["bubblewrap"] if self.bwrap else []
        parts += [f"Landlock {self.landlock_abi}"] if self.landlock_abi else []
        return " + ".join([*parts, "seccomp", "limits"])

    def call_filter(self, *, may_fork: bool) -> bytes:
        """Return the seccomp program that goes with it."""
        return _filter(
            FilterOptions(
                may_fork=may_fork,
                has_namespaces=self.bwrap is not None,
                signals_are_scoped=self.bwrap is not None or self.landlock_abi >= SCOPES_SIGNALS_SINCE,
            )
        )


# Pure: the same options give the same bytes, and compiling takes a few milliseconds.
_filter = functools.cache(compile_filter)
