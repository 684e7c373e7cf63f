"""Unloads a model that nobody has asked for a while."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator


class IdleTimer:
    """Calls `unload` when `seconds` have passed since the last use ended, never while one is going on; 0: never."""

    def __init__(self, seconds: float, unload: Callable[[], None]) -> None:
        self._seconds = seconds
        self._unload = unload
        self._in_use = threading.Lock()
        self._timer: threading.Timer | None = None

    @contextlib.contextmanager
    def used(self) -> Iterator[None]:
        """Hold the timer back during the block, and start it anew afterwards."""
        self._stop()
        with self._in_use:
            yield
        if self._seconds:
            self._timer = threading.Timer(self._seconds, self._expire)
            self._timer.daemon = True
            self._timer.start()

    def close(self) -> None:
        """Stop waiting."""
        self._stop()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
            self._timer = None

    def _expire(self) -> None:
        # A use that began just now goes first, and starts a timer of its own when it ends.
        if self._in_use.acquire(blocking=False):
            try:
                self._unload()
            finally:
                self._in_use.release()
