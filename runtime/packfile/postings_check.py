"""The keyword index's part of the check: sorted terms, postings that rise within each term and stay within bounds."""

from __future__ import annotations

import itertools
import operator
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from satchel.runtime.packfile import names
from satchel.runtime.packfile.array_reader import ArrayReader
from satchel.runtime.packfile.errors import DamagedPackError
from satchel.runtime.packfile.limits import TERM_BYTES
from satchel.runtime.packfile.pack import Pack
from satchel.runtime.progress import SILENT, Progress

_PIECE_ROWS = 1 << 16
_PIECE_BYTES = 1 << 20


def check_postings(pack: Pack, passages: int, progress: Progress = SILENT) -> None:
    """Check terms and postings; the arrays' shapes agree already.

    Raises:
        DamagedPackError: names the entry and row.
    """
    _check_starts(pack, names.BM25_TERM_STARTS, pack.location(names.BM25_TERMS)[1])
    _check_starts(pack, names.BM25_POSTINGS, pack.shape(names.BM25_PASSAGES)[0])
    _check_terms(pack, progress)
    _check_passages(pack, passages, progress)
    for start, counts in ArrayReader(pack, names.BM25_COUNTS).pieces(_PIECE_ROWS):
        if not counts.all():
            _fail(pack, names.BM25_COUNTS, start + int(counts.argmin()), "is 0")


def _fail(pack: Pack, name: str, row: int, reason: str) -> NoReturn:
    raise DamagedPackError(path=pack.path, reason=f"{name}: row {row} {reason}")


def _check_starts(pack: Pack, name: str, end: int) -> None:
    """Check that starts go from 0 to `end` and rise: no term is empty, none is without a posting."""
    starts = ArrayReader(pack, name)
    before: int | None = None
    for number, piece in starts.pieces(_PIECE_ROWS):
        # Signed, because differences of unsigned ones wrap round. What is past the end stays so, and is caught below.
        rows = np.minimum(piece, piece.dtype.type(end + 1)).astype(np.int64)
        if before is None and rows[0] != 0:
            _fail(pack, name, 0, "is not 0")
        joined = rows if before is None else np.concatenate(([before], rows))
        if (flat := np.flatnonzero(np.diff(joined) <= 0)).size:
            _fail(pack, name, number + int(flat[0]) + (before is None), "is not above the one before")
        before = int(rows[-1])
    if before != end:
        _fail(pack, name, len(starts) - 1, f"is {before}, and what it counts ends at {end}")


def _check_terms(pack: Pack, progress: Progress) -> None:
    """Check that terms are valid UTF-8, each by itself, and sorted by their bytes, each once."""
    starts = ArrayReader(pack, names.BM25_TERM_STARTS)
    last = b""
    row, terms = 0, len(starts) - 1
    while row < terms:
        progress("checking the keyword index", row, terms)
        piece = starts.rows(row, row + _PIECE_ROWS + 1).astype(np.int64)
        # As many whole terms as fit into a piece, and at least one.
        count = max(1, int(np.searchsorted(piece, piece[0] + _PIECE_BYTES, side="right")) - 1)
        borders = (piece[: count + 1] - piece[0]).tolist()
        lengths = np.diff(piece[: count + 1])
        if lengths.max() > TERM_BYTES:
            _fail(pack, names.BM25_TERM_STARTS, row + int(lengths.argmax()), f"begins a term above {TERM_BYTES} bytes")
        content = pack.read_range(names.BM25_TERMS, int(piece[0]), borders[-1])
        found = [content[start:end] for start, end in itertools.pairwise(borders)]
        for number, term in enumerate(found):
            if not _is_utf8(term):
                _fail(pack, names.BM25_TERMS, row + number, "is no valid UTF-8")
        in_order = list(map(operator.lt, [last, *found[:-1]], found))
        if not all(in_order):
            _fail(pack, names.BM25_TERMS, row + in_order.index(False), "is not after the one before")
        last = found[-1]
        row += count


def _is_utf8(term: bytes) -> bool:
    if term.isascii():
        return True
    try:
        term.decode()
    except UnicodeDecodeError:
        return False
    return True


def _check_passages(pack: Pack, passages: int, progress: Progress) -> None:
    """Check that passage numbers are within bounds and rise within each term."""
    numbers = ArrayReader(pack, names.BM25_PASSAGES)
    begins = _Begins(ArrayReader(pack, names.BM25_POSTINGS))
    before = -1
    for start, piece in numbers.pieces(_PIECE_ROWS):
        progress("checking the keyword index", start, len(numbers))
        if piece.max() >= passages:
            _fail(pack, names.BM25_PASSAGES, start + int(piece.argmax()), f"is past the {passages} passages")
        rows = piece.astype(np.int64)
        falls = np.diff(rows, prepend=before) <= 0
        falls[begins.within(start, start + len(rows)) - start] = False
        if falls.any():
            _fail(pack, names.BM25_PASSAGES, start + int(falls.argmax()), "is not above the one before in its term")
        before = int(rows[-1])


class _Begins:
    """The postings at which a term begins, handed out range by range; they rise, so each piece is read once."""

    def __init__(self, postings: ArrayReader) -> None:
        self._postings = postings
        self._row = 0
        self._piece: NDArray[Any] = np.empty(0, np.int64)

    def within(self, start: int, stop: int) -> NDArray[np.int64]:
        """Return those from `start` to before `stop`; ranges must follow each other."""
        found = []
        while True:
            found.append(self._piece[(self._piece >= start) & (self._piece < stop)])
            if (self._piece.size and self._piece[-1] >= stop) or self._row >= len(self._postings):
                break
            self._piece = self._postings.rows(self._row, self._row + _PIECE_ROWS).astype(np.int64)
            self._row += len(self._piece)
        return np.concatenate(found)
