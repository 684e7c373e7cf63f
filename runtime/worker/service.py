"""The child's side: a table of methods, served one call at a time until the parent goes away."""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from satchel.runtime.errors import CancelledError, SatchelError
from satchel.runtime.worker.frames import CANCEL, ERROR, ITEM, RESULT, BrokenFrameError, read_frame, write_frame


class Call:
    """One call being served: where its items go, and whether the parent has had enough."""

    def __init__(self, call_id: int, write: Callable[[Any], None]) -> None:
        self._id = call_id
        self._write = write
        self._cancelled = threading.Event()

    def emit(self, item: Any) -> None:
        """Send one item of the stream (anything MessagePack holds; NumPy arrays as bytes)."""
        self._write((self._id, ITEM, item))

    @property
    def cancelled(self) -> bool:
        """True once the parent cancelled; the method should return or call `check` soon."""
        return self._cancelled.is_set()

    def check(self) -> None:
        """Raise `CancelledError` when the parent has cancelled this call."""
        if self.cancelled:
            raise CancelledError

    def cancel(self) -> None:
        """Ask the method to stop; called by the reading thread."""
        self._cancelled.set()


Method = Callable[[dict[str, Any], Call], Any]


def serve(methods: Mapping[str, Method]) -> None:
    """Serve calls from standard input until it ends; never returns before that.

    Standard output is taken for frames at once: whatever a library prints goes to standard error.
    """
    frames_out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    calls: queue.Queue[tuple[Call, int, str, dict[str, Any]] | None] = queue.Queue()
    open_calls: dict[int, Call] = {}
    lock = threading.Lock()

    def write(frame: Any) -> None:
        with lock:
            write_frame(frames_out, frame)

    def read() -> None:
        with contextlib.suppress(BrokenFrameError):
            while (frame := read_frame(sys.stdin.buffer)) is not None:
                call_id, method, params = frame
                if method == CANCEL:
                    if (running := open_calls.get(call_id)) is not None:
                        running.cancel()
                    continue
                call = open_calls[call_id] = Call(call_id, write)
                calls.put((call, call_id, method, params))
        # The parent is gone. Whatever runs now, native code included, has nobody left to answer to.
        os._exit(0)

    threading.Thread(target=read, daemon=True, name="frames").start()
    while (waiting := calls.get()) is not None:
        call, call_id, method, params = waiting
        try:
            call.check()
            write((call_id, RESULT, methods[method](params, call)))
        except SatchelError as error:
            write((call_id, ERROR, {"code": error.code(), "fields": {k: _plain(v) for k, v in error.fields.items()}}))
        except MemoryError:
            write((call_id, ERROR, {"code": "", "message": "it ran out of the memory it was given"}))
        except Exception as error:  # noqa: BLE001 - the one place where a bug in a worker becomes a message
            traceback.print_exc()
            write((call_id, ERROR, {"code": "", "message": f"{type(error).__name__}: {error}"}))
        finally:
            open_calls.pop(call_id, None)


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float) else str(value)
