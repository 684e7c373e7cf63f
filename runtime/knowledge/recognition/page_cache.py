"""What was read from pictures, kept page by page: a book of 800 takes an hour, and Ctrl-C must cost one page."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from satchel.runtime.atomic import save_bytes
from satchel.runtime.knowledge.extract.pdf.lines import Line


@dataclass(frozen=True, slots=True)
class ReadPicture:
    """The lines of one page, in the order of reading; none where nothing is written on it."""

    lines: tuple[Line, ...]
    certainty: float
    """Mean certainty of the letters, 0 to 1."""


class PageCache:
    """A folder of read pages, by file (SHA-256 of its bytes), page and recogniser; a damaged entry counts as absent."""

    def __init__(self, folder: Path, recogniser: str) -> None:
        """`recogniser` says what reads, in which version: another one's pages are not taken."""
        self._folder = folder
        self._kind = hashlib.sha256(recogniser.encode()).hexdigest()[:8]

    def get(self, sha256: str, page: int) -> ReadPicture | None:
        """Return what was read from a page, counted from 1."""
        try:
            return msgspec.msgpack.decode(self._path(sha256, page).read_bytes(), type=ReadPicture)
        except (OSError, msgspec.DecodeError):
            return None

    def put(self, sha256: str, page: int, read: ReadPicture) -> None:
        """Keep a page."""
        save_bytes(self._path(sha256, page), msgspec.msgpack.encode(read))

    def _path(self, sha256: str, page: int) -> Path:
        return self._folder / sha256[:2] / f"{sha256[2:]}-{self._kind}" / f"{page}.msgpack"
