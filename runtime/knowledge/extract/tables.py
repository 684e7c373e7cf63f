"""Rows of a table as lines that explain themselves, so that a passage from the middle of a sheet can be understood.

    Planet | Mass | Moons            Planet; Mass; Moons
    Mars   | 0.107 | 2        ->     Planet: Mars; Mass: 0.107; Moons: 2
    Venus  | 0.815 |                 Planet: Venus; Mass: 0.815

Every cell's text stands in the result; names are only added. A header is the first row of a table, when its cells
are names and not numbers.
"""

# ruff: noqa: RUF001 - signs that numbers are written with

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Sequence

from satchel.runtime.knowledge.extract.cleaning import one_line

Row = Sequence[str]

_LONGEST_NAME = 120
_NUMBER = re.compile(r"[^\w]*\d[\d\s.,:/%°'’\-–+()]*(?:[eE][+-]?\d+)?[^\w]*(?:[a-zA-Z%°€$£]{0,3})")
_YEAR = re.compile(r"(?:1[5-9]|20|21)\d\d")
_TWO = 2


def describe_rows(rows: Iterable[Row]) -> Iterator[str]:
    """Yield one line a row; an empty line stands where a blank row sets tables apart.

    A header holds until the next table, and over a blank row where the columns stay the same.
    """
    header: list[str] = []
    for number, table in enumerate(_tables(rows)):
        if number:
            yield ""
        header = yield from _describe_table(table, header)


def _describe_table(table: Iterator[list[str]], last_header: list[str]) -> Generator[str, None, list[str]]:
    """Yield the lines of one table; the generator's value is the header that it was read with."""
    row = next(table, None)
    # Titles above a table fill one cell.
    while row is not None and _filled(row) == 1:
        yield _joined(row)
        row = next(table, None)
    if row is None:
        return last_header
    following = next(table, None)
    header: list[str] = []
    if _continues(last_header, row, following):
        header = last_header
    elif following is not None and _is_header(row):
        yield _joined(row)
        header, row, following = row, following, next(table, None)
        if following is not None and _is_second_header(header, row):
            yield _joined(row)
            header, row, following = _combined(header, row), following, next(table, None)
    are_pairs = not header and all(_filled(line) == _TWO == len(line) for line in (row, following) if line is not None)
    while row is not None:
        yield _described(header, row) if header else _joined(row, ": " if are_pairs and _filled(row) == _TWO else "; ")
        row, following = following, next(table, None)
    return header


def _tables(rows: Iterable[Row]) -> Iterator[Iterator[list[str]]]:
    """Split at blank rows; each table is to be used up before the next one is asked for."""
    source = (_trimmed(row) for row in rows)

    def table(row: list[str]) -> Iterator[list[str]]:
        while row:
            yield row
            row = next(source, [])

    while (first := next((row for row in source if row), None)) is not None:
        yield table(first)


def _continues(last_header: list[str], row: list[str], following: list[str] | None) -> bool:
    """Tell a table that goes on after a blank row from a new one of the same width, which names its columns anew."""
    if not last_header or _first_column(row) != _first_column(last_header) or len(row) > len(last_header):
        return False
    names_anew = _is_header(row) and following is not None and not _is_header(following)
    return not names_anew


def _trimmed(row: Row) -> list[str]:
    cells = [one_line(cell) for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _is_header(row: list[str]) -> bool:
    names = [cell for cell in row if cell]
    if len(names) < _TWO or any(len(name) > _LONGEST_NAME for name in names):
        return False
    numbers = [name for name in names if _NUMBER.fullmatch(name)]
    if not numbers:
        return True
    # "Country; 2019; 2020; 2021": years are names when nothing but years follows.
    years = [int(name) for name in names[1:] if _YEAR.fullmatch(name)]
    return numbers == names[1:] and len(years) == len(numbers) > 1 and years == sorted(years)


def _is_second_header(header: list[str], row: list[str]) -> bool:
    """Tell a row that names the columns below a header that spans several of them."""
    if not _repeats(header) or not _is_header(row) or _repeats(_combined(header, row)):
        return False
    lone = (place for place, name in enumerate(header) if header.count(name) == 1)
    return all(_padded(row, len(header))[place] in {"", header[place]} for place in lone)


def _repeats(header: list[str]) -> bool:
    names = [name for name in header if name]
    return len(set(names)) < len(names)


def _combined(upper: list[str], lower: list[str]) -> list[str]:
    width = max(len(upper), len(lower))
    pairs = zip(_padded(upper, width), _padded(lower, width), strict=True)
    return [above if above == below else f"{above} {below}".strip() for above, below in pairs]


def _described(header: list[str], row: list[str]) -> str:
    named = zip(_padded(header, len(row)), row, strict=False)
    return "; ".join(f"{name}: {value}" if name else value for name, value in named if value)


def _joined(row: list[str], separator: str = "; ") -> str:
    return separator.join(cell for cell in row if cell)


def _padded(row: list[str], width: int) -> list[str]:
    return row + [""] * (width - len(row))


def _filled(row: list[str]) -> int:
    return sum(1 for cell in row if cell)


def _first_column(row: list[str]) -> int:
    return next((place for place, cell in enumerate(row) if cell), 0)
