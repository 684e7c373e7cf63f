"""Signs of life from a worker whose work stops for nobody: with each the parent may ask whether to go on."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from satchel.runtime.worker.service import Call

_TICK_SECONDS = 0.1


@contextlib.contextmanager
def ticking(call: Call) -> Iterator[None]:
    """Emit None ten times a second."""
    over = threading.Event()
    ticks = threading.Thread(target=_tick, args=(call, over), daemon=True, name="ticks")
    ticks.start()
    try:
        yield
    finally:
        over.set()
        ticks.join()


def _tick(call: Call, over: threading.Event) -> None:
    while not over.wait(_TICK_SECONDS):
        call.emit(None)
