"""pypdf under guard: it may be slow, run out of memory or fail on any file, and reading goes on without its answer."""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from typing import TypeVar

_T = TypeVar("_T")
_SECONDS_BETWEEN_LOOKS = 0.05
_FRAMES_LOGGED = 5


class _Interrupted(BaseException):
    """Not an `Exception`, because pypdf goes on after any of those when it repairs a file."""


class GuardedBytes(io.BytesIO):
    """A file's bytes; looks at the clock, and whether the person has had enough, wherever pypdf moves in them."""

    def __init__(self, content: bytes, check: Callable[[], None], *, seconds: float) -> None:
        super().__init__(content)
        self._check = check
        self._next_look = 0.0
        self._end = time.monotonic() + seconds

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move to a place; pypdf does so at every object and after most tokens."""
        now = time.monotonic()
        if now > self._next_look:
            self._next_look = now + _SECONDS_BETWEEN_LOOKS
            self._look(now)
        return super().seek(offset, whence)

    def _look(self, now: float) -> None:
        if now > self._end:
            raise _Interrupted from TimeoutError()
        try:
            self._check()
        except Exception as error:
            raise _Interrupted from error


def attempt(work: Callable[[], _T]) -> _T | None:
    """Return what `work` returns from pypdf and `GuardedBytes`, or None where it fails in any way.

    Raises:
        CancelledError: what `check` raised.
    """
    try:
        with _without_warnings():
            return work()
    except _Interrupted as interrupted:
        cause = interrupted.__cause__
        if cause is not None and not isinstance(cause, TimeoutError):
            raise cause from None
        sys.stderr.write("pypdf takes too long\n")
    except Exception:  # noqa: BLE001 - a broken file makes pypdf raise anything, RecursionError and MemoryError included
        traceback.print_exc(limit=-_FRAMES_LOGGED, chain=False)  # which one it was is for the reader's log
    return None


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
    """Keep pypdf from logging each oddity of a file: there may be millions, and the reader's log is small."""
    logger = logging.getLogger("pypdf")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
