"""Milliseconds of a turn's stages."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator


class Timings:
    """Adds up how long each stage took, and when the first word came; starts when it is made."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._stages: dict[str, float] = {}

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of the block to a stage."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, (time.perf_counter() - started) * 1000)

    def add(self, name: str, milliseconds: float) -> None:
        """Add to a stage what somebody else measured."""
        self._stages[name] = self._stages.get(name, 0.0) + milliseconds

    def first_word(self) -> None:
        """Note the time to the first word; later calls change nothing."""
        self._stages.setdefault("first_word", self._elapsed())

    def finish(self) -> dict[str, float]:
        """Return all stages and the total, rounded to 0.1 ms."""
        return {name: round(value, 1) for name, value in {**self._stages, "total": self._elapsed()}.items()}

    def _elapsed(self) -> float:
        return (time.perf_counter() - self._started) * 1000
