"""A file's text once the pictures of its pages are read: they take the places that the text of a page would have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from satchel.runtime.errors import MissingExtraError
from satchel.runtime.knowledge.errors import ChangedWhileReadError, UnreadPicturesError
from satchel.runtime.knowledge.extract.page_numbers import listed
from satchel.runtime.knowledge.extract.reader import DocumentReader, ReadDocument, file_chunks
from satchel.runtime.knowledge.recognition.picture_reader import PictureReader
from satchel.runtime.progress import SILENT, Progress

PageRun = tuple[int, int]
"""First and last of pages that follow one another, both included."""


@dataclass(frozen=True, slots=True)
class PictureReading:
    """Who reads pictures, and the name and version that what it read is kept under."""

    reader: PictureReader
    recogniser: str


def missing_extra() -> MissingExtraError:
    """Return the error that pictures cannot be read with what is installed."""
    return MissingExtraError(feature="Reading pages from their pictures", extra="ocr")


def with_pictures(
    read: ReadDocument,
    path: Path,
    name: str,
    reader: DocumentReader,
    pictures: PictureReading | None,
    *,
    fresh: bool = False,
    progress: Progress = SILENT,
) -> ReadDocument:
    """Return a document that has pages with unread pictures once these are read; what could not be is in its notes.

    Raises:
        UnreadPicturesError: it has no other text, and none of them could be read.
        DocumentError: it changed meanwhile, or nothing is written on its pictures.
    """
    waiting = read.extracted.unread_pictures
    if pictures is None:
        missing = missing_extra()
        if not read.extracted.text:
            raise UnreadPicturesError(file=name, reason=missing.message.rstrip("."), advice=missing.advice)
        note = f"pages with pictures and no text: {listed(waiting)} ({missing.message} {missing.advice})"
        return replace(read, extracted=replace(read.extracted, notes=(*read.extracted.notes, note)))
    found = pictures.reader.read(
        waiting,
        lambda: file_chunks(path, read.sha256, name=name),
        sha256=read.sha256,
        name=name,
        fresh=fresh,
        progress=progress,
    )
    if found.lines:
        again = reader.read(path, name=name, pictures=found.lines, progress=progress)
        if again.sha256 != read.sha256:
            raise ChangedWhileReadError(file=name)
        read = again
    if not read.extracted.text:
        raise UnreadPicturesError(file=name, reason=f"page {found.reasons}", advice="")
    return replace(read, extracted=replace(read.extracted, notes=(*read.extracted.notes, *found.notes())))


def page_runs(pages: Sequence[int]) -> tuple[PageRun, ...]:
    """Return rising pages as runs: 3, 4, 5, 9 as (3, 5), (9, 9)."""
    runs: list[PageRun] = []
    for page in pages:
        if runs and page == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], page)
        else:
            runs.append((page, page))
    return tuple(runs)


def pages_of(runs: Sequence[PageRun]) -> Iterator[int]:
    """Yield the pages of runs."""
    for first, last in runs:
        yield from range(first, last + 1)
