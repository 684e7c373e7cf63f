"""The text's part of the check: valid UTF-8, characters counted right, pages and passages at borders of code points.

The text goes by in windows. Pages and passages come in the order of the text, so each is checked in the window in which
it begins; a window sees one longest passage ahead.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from satchel.runtime.packfile import names
from satchel.runtime.packfile.array_reader import ArrayReader
from satchel.runtime.packfile.errors import DamagedPackError
from satchel.runtime.packfile.limits import PASSAGE_BYTES, PASSAGE_CHARACTERS
from satchel.runtime.packfile.pack import Pack
from satchel.runtime.packfile.schema_v1 import KnowledgeFile
from satchel.runtime.progress import SILENT, Progress

_WINDOW_BYTES = 1 << 20
_PIECE_ROWS = 1 << 14


def check_text(pack: Pack, files: tuple[KnowledgeFile, ...], progress: Progress = SILENT) -> None:
    """Check `text.utf8`, `pages.npy` and `passages.npy`; sizes and shapes agree already.

    Raises:
        DamagedPackError: names the entry and row.
    """
    borders = _Borders(files)
    _check_order(pack, files, borders)
    pages = _Cursor(ArrayReader(pack, names.PAGES)) if names.PAGES in pack else None
    passages = _Cursor(ArrayReader(pack, names.PASSAGES))
    for window in _windows(pack, int(borders.bytes[-1]), progress):
        _check_files(pack, window, borders)
        if pages is not None:
            for row, piece in pages.before(window.next_start, column=1):
                _check_borders(pack, names.PAGES, row, window, piece[:, 1])
        for row, piece in passages.before(window.next_start, column=1):
            _check_passages(pack, row, window, piece, borders)


class _Borders:
    """Where each file begins in the text, in bytes and in characters; the last item is where the last one ends."""

    def __init__(self, files: tuple[KnowledgeFile, ...]) -> None:
        self.bytes = np.fromiter(accumulate((file.bytes for file in files), initial=0), np.int64)
        self.characters = np.fromiter(accumulate((file.characters for file in files), initial=0), np.int64)


class _Window:
    """A stretch of the text: which bytes begin a code point, and how many did before each of them."""

    def __init__(self, start: int, next_start: int, text_size: int, content: bytes, characters_before: int) -> None:
        self.start = start
        self.next_start = next_start
        """Where the next window begins; past the end for the last one, so that what begins at the end belongs to it."""
        self.text_size = text_size
        self.begins = (np.frombuffer(content, np.uint8) & 0xC0) != 0x80  # noqa: PLR2004 - 10xxxxxx goes on (RFC 3629, 3)
        counted = np.zeros(len(content) + 1, np.int64)
        np.cumsum(self.begins, out=counted[1:])
        self.characters = counted + characters_before
        """Code points of the whole text that begin before each byte."""

    def is_border(self, offsets: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say for each offset whether a code point begins there or the text ends."""
        border: NDArray[np.bool_] = offsets == self.text_size
        if len(self.begins):
            border |= self.begins[np.minimum(offsets - self.start, len(self.begins) - 1)]
        return border

    def characters_before(self, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many code points of the whole text begin before each offset."""
        return self.characters[offsets - self.start]


def _windows(pack: Pack, text_size: int, progress: Progress) -> Iterator[_Window]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    characters = 0
    start = 0
    while True:
        progress("checking the text", start, text_size)
        content = pack.read_range(names.TEXT, start, min(_WINDOW_BYTES + PASSAGE_BYTES, text_size - start))
        step = content[:_WINDOW_BYTES]
        is_last = start + len(step) == text_size
        try:
            decoder.decode(step, final=is_last)
        except UnicodeDecodeError as error:
            place = start + error.start
            raise DamagedPackError(path=pack.path, reason=f"{names.TEXT}: no valid UTF-8 near byte {place}") from error
        if (found := step.find(b"\0")) >= 0:
            raise DamagedPackError(path=pack.path, reason=f"{names.TEXT}: byte {start + found} is NUL")
        window = _Window(start, text_size + 1 if is_last else start + len(step), text_size, content, characters)
        yield window
        if is_last:
            return
        characters = int(window.characters[len(step)])
        start += len(step)


class _Cursor:
    """Rows handed out by where they begin, once each; their starts rise."""

    def __init__(self, rows: ArrayReader) -> None:
        self._rows = rows
        self._next = 0

    def before(self, offset: int, *, column: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Yield (first row's number, rows) for the rows not yet handed out whose start is before `offset`."""
        while self._next < len(self._rows):
            piece = self._rows.rows(self._next, self._next + _PIECE_ROWS).astype(np.int64)
            count = int(np.searchsorted(piece[:, column], offset))
            if count == 0:
                return
            yield self._next, piece[:count]
            self._next += count
            if count < len(piece):
                return


def _check_order(pack: Pack, files: tuple[KnowledgeFile, ...], borders: _Borders) -> None:
    """Check files, starts and ends by themselves, so that the windows may rely on their order."""
    if names.PAGES in pack:
        counted = np.zeros(len(files), np.int64)
        _check_rows(pack, names.PAGES, borders, lambda rows: _count_pages(rows, counted))
        for number, file in enumerate(files):
            if counted[number] != file.pages:
                _fail(pack, names.PAGES, number, f"(file): it has {counted[number]} pages, and {file.pages} are said")
    _check_rows(pack, names.PASSAGES, borders, lambda rows: _passage_problem(rows, borders))


def _check_rows(
    pack: Pack, name: str, borders: _Borders, problem: Callable[[NDArray[np.int64]], tuple[NDArray[np.bool_], str]]
) -> None:
    """Check what pages and passages share: a file that exists, a start within it, files and starts that rise."""
    files = len(borders.bytes) - 1
    before_file = before = 0
    for number, piece in ArrayReader(pack, name).pieces(_PIECE_ROWS):
        rows = piece.astype(np.int64)
        file, start = rows[:, 0], rows[:, 1]
        _refuse(pack, name, number, file >= files, f"is of no file: there are {files}")
        outside = (start < borders.bytes[file]) | (start > borders.bytes[file + 1])
        _refuse(pack, name, number, outside, "begins outside its file")
        falls = (np.diff(start, prepend=before) < 0) | (np.diff(file, prepend=before_file) < 0)
        _refuse(pack, name, number, falls, "begins before the one before")
        _refuse(pack, name, number, *problem(rows))
        before_file, before = int(file[-1]), int(start[-1])


def _count_pages(rows: NDArray[np.int64], counted: NDArray[np.int64]) -> tuple[NDArray[np.bool_], str]:
    counted += np.bincount(rows[:, 0], minlength=len(counted))
    return np.zeros(len(rows), np.bool_), ""


def _passage_problem(rows: NDArray[np.int64], borders: _Borders) -> tuple[NDArray[np.bool_], str]:
    file, start, end, first, last = rows.T
    wrong = (end <= start) | (end > borders.bytes[file + 1]) | (last <= first)
    wrong |= (end - start > PASSAGE_BYTES) | (last - first > PASSAGE_CHARACTERS)
    return wrong, f"is empty, longer than {PASSAGE_CHARACTERS:,} characters, or ends outside its file"


def _check_files(pack: Pack, window: _Window, borders: _Borders) -> None:
    here = (borders.bytes >= window.start) & (borders.bytes < window.next_start)
    starts = borders.bytes[here]
    number = int(here.argmax())
    _check_borders(pack, names.FILES, number, window, starts)
    wrong = window.characters_before(starts) != borders.characters[here]
    _refuse(pack, names.FILES, number - 1, wrong, "has another number of characters")


def _check_borders(pack: Pack, name: str, number: int, window: _Window, offsets: NDArray[np.int64]) -> None:
    _refuse(pack, name, number, ~window.is_border(offsets), "is not at the border of a character")


def _check_passages(pack: Pack, number: int, window: _Window, rows: NDArray[np.int64], borders: _Borders) -> None:
    file, start, end, first, last = rows.T
    for offsets, said in ((start, first), (end, last)):
        _check_borders(pack, names.PASSAGES, number, window, offsets)
        counted = window.characters_before(offsets) - borders.characters[file]
        _refuse(pack, names.PASSAGES, number, counted != said, "has other characters than bytes")


def _refuse(pack: Pack, name: str, number: int, wrong: NDArray[Any], reason: str) -> None:
    if wrong.any():
        _fail(pack, name, number + int(wrong.argmax()), reason)


def _fail(pack: Pack, name: str, row: int, reason: str) -> NoReturn:
    raise DamagedPackError(path=pack.path, reason=f"{name}: row {row} {reason}")
