"""Draw the pages of PDFs in a child process: a damaged one ends that, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

import msgspec

from satchel.runtime.knowledge.extract.limits import READER_MEMORY_BYTES
from satchel.runtime.knowledge.extract.pdf.page_picture import MOST_PIXELS, PagePicture
from satchel.runtime.worker.limits import WorkerLimits
from satchel.runtime.worker.process import Worker

_SECONDS = 40.0


class PagePictures:
    """Keeps the last document in the child, so that turning its pages is quick. For one thread at a time."""

    def __init__(self) -> None:
        self._worker = Worker(
            "satchel.runtime.knowledge.extract.picture_child",
            name="page picture",
            limits=WorkerLimits(memory_bytes=READER_MEMORY_BYTES, file_bytes=1 << 20),
        )
        self._held: tuple[str, int | None] = ("", None)

    def draw(
        self,
        key: str,
        read: Callable[[], Iterable[bytes]],
        page: int,
        *,
        name: str,
        width: int,
        longest: int = MOST_PIXELS,
        quote: str = "",
        near: float = 0.0,
    ) -> PagePicture:
        """Return a page of the document whose bytes have the SHA-256 `key`; `read` gives them when they are needed.

        It is `width` pixels wide, or fewer, so that its longer side has at most `longest`.

        Raises:
            DocumentError: it cannot be opened or drawn; names the file.
            WorkerDiedError, OutOfTimeError: it was too much for the child, which is started anew at the next call.
        """
        self._worker.start()
        held = (key, self._worker.pid)
        if self._held != held:
            self._held = ("", None)
            self._worker.call("begin", {"file": name})
            for chunk in read():
                self._worker.call("chunk", {"content": chunk})
        params = {"page": page, "width": width, "longest": longest, "quote": quote, "near": near}
        drawn = self._worker.call("draw", params, timeout=_SECONDS)
        self._held = (key, self._worker.pid)
        return msgspec.convert(drawn, PagePicture, builtin_types=(bytes,))

    def close(self) -> None:
        """End the child."""
        self._worker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
