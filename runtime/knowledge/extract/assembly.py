"""Puts a file's text together piece by piece, and keeps where pages and headings lie in it."""

from __future__ import annotations

from collections.abc import Iterable

from satchel.runtime.knowledge.documents import ExtractedText, Heading
from satchel.runtime.knowledge.errors import EmptyDocumentError, TooLargeError
from satchel.runtime.knowledge.extract.cleaning import clean, one_line
from satchel.runtime.knowledge.extract.limits import MAX_PAGES, MAX_TEXT_BYTES, in_mib


class TextBuilder:
    """Collects cleaned pieces; paragraphs are set apart by a blank line, lines by a line end.

    Page starts rise strictly: a page without text holds one line end.
    """

    def __init__(self, file: str) -> None:
        self._file = file
        self._pieces: list[str] = []
        self._length = 0
        self._bytes = 0
        self._has_text = False
        self._at_page_start = True
        self._page_starts: list[int] = []
        self._page_labels: list[str] = []
        self._headings: list[Heading] = []
        self._notes: list[str] = []

    def start_page(self, label: str = "", *, separator: str = "\n\n") -> None:
        """Begin the next page; `separator` is a space where a sentence runs on."""
        if len(self._page_starts) == MAX_PAGES:
            raise TooLargeError(file=self._file, reason=f"it has more than {MAX_PAGES} pages")
        if self._page_starts:
            self._append("\n" if self._at_page_start else separator)
        elif not self._at_page_start:
            self._append(separator)
        self._page_starts.append(self._length)
        self._page_labels.append(one_line(label))
        self._at_page_start = True

    def paragraph(self, text: str) -> None:
        """Add a piece after a blank line."""
        self._add(clean(text).strip(), "\n\n")

    def line(self, text: str) -> None:
        """Add a piece on the next line: list items, rows of a table."""
        self._add(clean(text).strip(), "\n")

    def rows(self, lines: Iterable[str]) -> None:
        """Add a table, a line a row; an empty line sets two tables apart."""
        add = self.paragraph
        for line in lines:
            add(line)
            add = self.line if line else self.paragraph

    def heading(self, text: str, level: int) -> None:
        """Add a heading of one line, level 1 being the highest."""
        title = one_line(text)
        self._add(title, "\n\n")
        if title:
            self._headings.append(Heading(self._length - len(title), self._length, level))

    def note(self, text: str) -> None:
        """Say in plain words what of the file is lost to its reader."""
        if text not in self._notes:
            self._notes.append(text)

    def build(self, media_type: str) -> ExtractedText:
        """Return all that was added.

        Raises:
            EmptyDocumentError: nothing was.
        """
        if not self._has_text:
            raise EmptyDocumentError(file=self._file, reason="there is no text in it")
        labels = tuple(self._page_labels) if any(self._page_labels) else ()
        return ExtractedText(
            media_type=media_type,
            text="".join(self._pieces),
            page_starts=tuple(self._page_starts),
            page_labels=labels,
            headings=tuple(self._headings),
            notes=tuple(self._notes),
        )

    def _add(self, piece: str, separator: str) -> None:
        if not piece:
            return
        if not self._at_page_start:
            self._append(separator)
        self._append(piece)
        self._at_page_start = False
        self._has_text = True

    def _append(self, piece: str) -> None:
        self._bytes += len(piece) if piece.isascii() else len(piece.encode())
        if self._bytes > MAX_TEXT_BYTES:
            raise TooLargeError(file=self._file, reason=f"its text is longer than {in_mib(MAX_TEXT_BYTES)}")
        self._pieces.append(piece)
        self._length += len(piece)
