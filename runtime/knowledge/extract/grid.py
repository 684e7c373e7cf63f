"""Cells that span rows and columns, laid out on a plain grid: a merged cell's text stands in every cell it covers."""

from __future__ import annotations

_WIDEST = 1000
_TALLEST = 1000


class Grid:
    """Rows of a table, filled cell by cell from the left."""

    def __init__(self) -> None:
        self._rows: list[list[str]] = []
        # Column -> (text, rows still to cover), from cells above.
        self._hanging: dict[int, tuple[str, int]] = {}

    def start_row(self) -> None:
        """Begin the next row."""
        if self._rows:
            self._fill_hanging()
        self._rows.append([])

    def add(self, text: str, *, columns: int = 1, rows: int = 1) -> None:
        """Add the next cell of the row; spans past what any real table has are cut."""
        self._fill_hanging()
        row = self._rows[-1]
        for _ in range(min(max(columns, 1), _WIDEST - len(row))):
            if rows > 1:
                self._hanging[len(row)] = (text, min(rows, _TALLEST) - 1)
            row.append(text)

    def rows(self) -> list[list[str]]:
        """Return all rows."""
        if self._rows:
            self._fill_hanging()
        return self._rows

    def _fill_hanging(self) -> None:
        """Repeat the texts that hang into this row at its present end."""
        row = self._rows[-1]
        while (hanging := self._hanging.get(len(row))) is not None:
            text, left = hanging
            if left == 1:
                del self._hanging[len(row)]
            else:
                self._hanging[len(row)] = (text, left - 1)
            row.append(text)
