"""The child's side: a table of methods, served one call at a time until the parent goes away."""

from __future__ import annotations

import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from satchel.runtime.errors import CancelledError, SatchelError, WorkerOutOfMemoryError
from satchel.runtime.worker.frames import CANCEL, ERROR, ITEM, RESULT, ErrorPayload, read_frame, write_frame


class Call:
    """One call being served: where its items go, and whether the parent has had enough."""

    def __init__(self, call_id: int, write: Callable[[Any], None]) -> None:
        self._id = call_id
        self._write = write
        self._cancelled = threading.Event()
        self._on_cancel: Callable[[], None] | None = None

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

    def when_cancelled(self, action: Callable[[], None]) -> None:
        """Run `action` on the reading thread once the parent cancels, at once if it has: for native code that runs on.

        The action must be short and may run twice.
        """
        self._on_cancel = action
        if self.cancelled:
            action()

    def cancel(self) -> None:
        """Ask the method to stop; called by the reading thread."""
        self._cancelled.set()
        if self._on_cancel is not None:
            self._on_cancel()


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
        while (frame := read_frame(sys.stdin.buffer)) is not None:
            call_id, method, params = frame
            if method == CANCEL:
                if (running := open_calls.get(call_id)) is not None:
                    running.cancel()
                continue
            call = open_calls[call_id] = Call(call_id, write)
            calls.put((call, call_id, method, params))

    threading.Thread(target=_exit_after, args=(read,), daemon=True, name="frames").start()
    while (waiting := calls.get()) is not None:
        call, call_id, method, params = waiting
        try:
            call.check()
            write((call_id, RESULT, methods[method](params, call)))
        except SatchelError as error:
            write((call_id, ERROR, _payload(error)))
        except MemoryError:
            write((call_id, ERROR, ErrorPayload("", code=WorkerOutOfMemoryError.code())))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the one place where a bug becomes a message
            traceback.print_exc()
            write((call_id, ERROR, ErrorPayload(f"{type(error).__name__}: {error}")))
        finally:
            open_calls.pop(call_id, None)


def _exit_after(read: Callable[[], None]) -> None:
    """End the process with its reader, whichever way that ends: without one, the parent would wait for ever."""
    code = 1
    try:
        read()
        code = 0
    except BaseException:  # noqa: BLE001 - not even memory for a frame, say
        traceback.print_exc()
    finally:
        # The parent is gone. Whatever runs now, native code included, has nobody left to answer to.
        os._exit(code)


def _payload(error: SatchelError) -> ErrorPayload:
    fields = {name: _plain(value) for name, value in error.fields.items()}
    return ErrorPayload(error.message, error.code(), type(error).__module__, fields)


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float) else str(value)
