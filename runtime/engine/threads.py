"""How many threads decode: fewer when other processes use the cores.

Decoding a token is a thousand small operations with a barrier after each. On idle cores threads help; beside other
work they wait for each other's turn, and one thread alone, which waits for nobody, is several times faster
(`bindings.py` has the figures). Results do not depend on the number of threads: `memory_sums.flash_attention` sees to
it. Prompts are read with all threads: their operations are long.
"""

from __future__ import annotations

from dataclasses import dataclass

_CROWDED = 0.8
"""Processor time over (wall time x threads); threads that wait spin, so on idle cores it is near 1."""
_WINDOW_SECONDS = 0.1
_WINDOW_TOKENS = 4
_FIRST_PATIENCE = 4
_MOST_PATIENCE = 64


@dataclass(slots=True)
class DecodeThreads:
    """A number of threads that follows the load.

    It halves when crowded. After some calm windows it doubles again, and each time that this was a mistake it waits
    twice as long before the next try.
    """

    most: int
    now: int = 0
    _seconds: float = 0.0
    _processor_seconds: float = 0.0
    _tokens: int = 0
    _calm_windows: int = 0
    _patience: int = _FIRST_PATIENCE
    _rate_below: float = 0.0

    def __post_init__(self) -> None:
        self.now = self.now or self.most

    def observe(self, seconds: float, processor_seconds: float) -> int:
        """Take note of a decoded token's wall and processor time, and return the threads for the next one."""
        self._seconds += seconds
        self._processor_seconds += processor_seconds
        self._tokens += 1
        if self._seconds >= _WINDOW_SECONDS or self._tokens >= _WINDOW_TOKENS:
            self._judge(self._tokens / max(self._seconds, 1e-9), self._processor_seconds / max(self._seconds, 1e-9))
            self._seconds = self._processor_seconds = 0.0
            self._tokens = 0
        return self.now

    def _judge(self, rate: float, used_threads: float) -> None:
        crowded = used_threads < _CROWDED * self.now
        slower = bool(self._rate_below) and rate < self._rate_below
        if self.now > 1 and (crowded or slower):
            if slower:
                self._patience = min(2 * self._patience, _MOST_PATIENCE)
            self.now //= 2
            self._calm_windows = 0
            self._rate_below = 0.0
            return
        if self._rate_below and not crowded:
            self._patience = _FIRST_PATIENCE  # going up was right
        self._rate_below = 0.0
        self._calm_windows = 0 if crowded else self._calm_windows + 1
        if self.now < self.most and self._calm_windows >= self._patience:
            self._rate_below = rate
            self._calm_windows = 0
            self.now = min(2 * self.now, self.most)
