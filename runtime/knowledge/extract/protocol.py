"""What a file format is to Satchel: a function from bytes to `ExtractedText`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from satchel.runtime.knowledge.documents import ExtractedText

if TYPE_CHECKING:
    from satchel.runtime.knowledge.extract.pdf.lines import Line


@dataclass(frozen=True, slots=True)
class Source:
    """One knowledge file, whole and in memory: an extractor opens nothing and follows no link."""

    name: str
    """Its name as errors say it; its suffix may help to choose between text formats."""
    content: bytes
    password: str | None = None
    pictures: Mapping[int, Sequence[Line]] | None = None
    """The lines that were read from the pictures of pages, by page (from 1); None: nobody wants pictures read."""


class Step(Protocol):
    """Called at every page, sheet or thousand rows; raises `CancelledError` when the person has had enough."""

    def __call__(self, done: int, total: int | None) -> None:
        """Report `done` of `total` steps (None: unknown)."""


class Extractor(Protocol):
    """What a format's module calls `extract`."""

    def __call__(self, source: Source, step: Step) -> ExtractedText:
        """Return the text of a file.

        Raises:
            DocumentError: it cannot be read; names the file and the reason. Any other exception than that,
                `CancelledError` and `MemoryError` is taken for a sign of a damaged file.
        """
