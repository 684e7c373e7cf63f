"""The parent's side of reading pictures: one process draws a page, another recognises it, and each page is kept.

Nothing stops the other pages: one that takes too long, or ends its process, is left out and named with its reason.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import msgspec

from satchel.runtime.errors import OutOfTimeError, SatchelError, WorkerDiedError, WorkerOutOfMemoryError
from satchel.runtime.knowledge.errors import ChangedWhileReadError, DocumentError, VanishedError
from satchel.runtime.knowledge.extract.limits import MIB, READER_MEMORY_BYTES
from satchel.runtime.knowledge.extract.page_numbers import listed
from satchel.runtime.knowledge.extract.pdf.lines import Line
from satchel.runtime.knowledge.page_pictures import PagePictures
from satchel.runtime.knowledge.recognition.page_cache import PageCache, ReadPicture
from satchel.runtime.knowledge.recognition.recogniser import LONGEST_SIDE
from satchel.runtime.progress import SILENT, Progress
from satchel.runtime.worker.launching import Launch, launch_plainly
from satchel.runtime.worker.limits import WorkerLimits
from satchel.runtime.worker.process import Worker, WorkerFailedError

SECONDS_A_PAGE = 300.0
HARD_TO_READ = 0.9
"""Mean certainty below which a page is named: its script is another (Greek gave .84, Arabic .83), or it is blurred."""

_MOST_FAILURES = 3
"""One after another; then the file's other pages are not tried: each may take minutes."""
_CANCEL_SECONDS = 0.15


@dataclass(slots=True)
class PicturesRead:
    """What was read of one file's pages, from 1, and why some were not."""

    lines: dict[int, tuple[Line, ...]] = field(default_factory=dict)
    hard: list[int] = field(default_factory=list)
    failed: dict[str, list[int]] = field(default_factory=dict)

    @property
    def reasons(self) -> str:
        """Why pages were not read, with their numbers; empty when all were."""
        return "; ".join(f"{listed(sorted(pages))}: {reason}" for reason, pages in self.failed.items())

    def notes(self) -> tuple[str, ...]:
        """Return what a person has lost."""
        unread = (f"pages with pictures that were not read: {self.reasons}",) if self.failed else ()
        hard = (f"pages whose pictures were hard to read, and may be read wrongly: {listed(self.hard)}",)
        return (*unread, *(hard if self.hard else ()))


class PictureReader:
    """Reads pages from their pictures. For one thread at a time."""

    def __init__(
        self,
        cache: PageCache,
        *,
        threads: int,
        seconds_a_page: float = SECONDS_A_PAGE,
        memory_bytes: int = READER_MEMORY_BYTES,
        launch: Launch = launch_plainly,
    ) -> None:
        """`launch` starts the recogniser's process."""
        self._cache = cache
        self._threads = threads
        self._seconds = seconds_a_page
        self._pictures = PagePictures()
        self._worker = Worker(
            "satchel.runtime.knowledge.recognition.child",
            name="recogniser",
            limits=WorkerLimits(memory_bytes=memory_bytes, file_bytes=MIB),
            cancel_seconds=_CANCEL_SECONDS,
            launch=launch,
        )

    def read(
        self,
        pages: Sequence[int],
        content: Callable[[], Iterable[bytes]],
        *,
        sha256: str,
        name: str,
        fresh: bool = False,
        progress: Progress = SILENT,
    ) -> PicturesRead:
        """Read pages, counted from 1, of the document whose bytes have this SHA-256; `content` gives the bytes.

        With `fresh` pages that were read before are read again. `progress` is called ten times a second.

        Raises:
            VanishedError, ChangedWhileReadError: the file is no longer what it was.
        """
        done = PicturesRead()
        failures = 0
        last = ""
        for count, page in enumerate(pages):

            def tick(at: int = count, now: int = page) -> None:
                progress(f"reading the pictures of {name}, page {now} of {max(pages)}", at, len(pages))

            tick()
            read = None if fresh else self._cache.get(sha256, page)
            if read is None and failures < _MOST_FAILURES:
                try:
                    read = self._read(page, content, sha256, name, tick)
                    self._cache.put(sha256, page, read)
                    failures = 0
                except (VanishedError, ChangedWhileReadError):
                    raise
                except _OF_ONE_PAGE as error:
                    last = _reason(error, self._seconds)
                    failures = _MOST_FAILURES if isinstance(error, WorkerFailedError) else failures + 1
            if read is None:
                done.failed.setdefault(last, []).append(page)
                continue
            done.lines[page] = read.lines
            if read.certainty < HARD_TO_READ:
                done.hard.append(page)
        return done

    def close(self) -> None:
        """End both processes."""
        self._pictures.close()
        self._worker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(
        self, page: int, content: Callable[[], Iterable[bytes]], sha256: str, name: str, tick: Callable[[], None]
    ) -> ReadPicture:
        drawn = self._pictures.draw(sha256, content, page, name=name, width=LONGEST_SIDE, longest=LONGEST_SIDE)
        params = {
            "width": drawn.width,
            "height": drawn.height,
            "pixels": drawn.pixels,
            "points": drawn.points,
            "threads": self._threads,
        }
        with contextlib.closing(self._worker.stream("recognise", params, timeout=self._seconds)) as steps:
            while True:
                try:
                    next(steps)
                except StopIteration as end:
                    return _checked(end.value)
                tick()


_OF_ONE_PAGE = (DocumentError, OutOfTimeError, WorkerDiedError, WorkerFailedError, WorkerOutOfMemoryError)


def _checked(result: Any) -> ReadPicture:
    try:
        return msgspec.convert(result, ReadPicture)
    except msgspec.ValidationError as error:
        raise WorkerDiedError(name="recogniser", reason=f"it sent what are no lines ({error})") from error


def _reason(error: SatchelError, seconds: float) -> str:
    match error:
        case OutOfTimeError():
            return f"it took longer than the {seconds:g} s that one page may take"
        case WorkerOutOfMemoryError():
            return "the recogniser needs more memory for it than it may use"
        case WorkerDiedError() | WorkerFailedError():
            return f"the recogniser stopped ({error.fields['reason']})"
    return error.message.rstrip(".")
