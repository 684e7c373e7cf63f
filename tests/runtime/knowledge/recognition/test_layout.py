"""Pieces of text on a picture come out as lines in the order of reading."""

from __future__ import annotations

import itertools
import math

import pytest

from satchel.runtime.knowledge.extract.pdf.headings import find_headings
from satchel.runtime.knowledge.extract.pdf.lines import Line
from satchel.runtime.knowledge.recognition.layout import Piece, arrange

WIDTH, HEIGHT = 1000, 1400
LETTER = 11
ROW = 30


def piece(text: str, left: float, top: float, *, height: float = 24, skew: float = 0.0) -> Piece:
    """Return a piece as long as its text, on a page turned by so many degrees (clockwise) about its middle."""
    right, bottom = left + LETTER * len(text), top + height
    angle = math.radians(skew)

    def turned(x: float, y: float) -> tuple[float, float]:
        x, y = x - WIDTH / 2, y - HEIGHT / 2
        return (
            WIDTH / 2 + x * math.cos(angle) - y * math.sin(angle),
            HEIGHT / 2 + x * math.sin(angle) + y * math.cos(angle),
        )

    return Piece(text, (turned(left, top), turned(right, top), turned(right, bottom), turned(left, bottom)))


def lines_of(pieces: list[Piece]) -> tuple[Line, ...]:
    return arrange(pieces, width=WIDTH, height=HEIGHT, points=0.5)


def column(name: str, left: float, rows: int, *, top: float = 200, skew: float = 0.0) -> list[Piece]:
    return [
        piece(f"{name} column, its line number {row:02d}", left, top + ROW * row, skew=skew)
        for row in range(1, rows + 1)
    ]


@pytest.mark.parametrize("skew", [-3.0, 0.0, 1.2, 3.0])
def test_columns_are_read_one_after_the_other_however_the_page_lies(skew):
    left, right = column("left", 60, 8, skew=skew), column("right", 560, 8, skew=skew)
    mixed = [one for pair in zip(right, left, strict=True) for one in pair]

    assert [line.text for line in lines_of(mixed)] == [one.text for one in left + right]


@pytest.mark.parametrize("skew", [-3.0, 0.0, 3.0])
def test_lines_of_a_page_that_lies_askew_are_level(skew):
    lines = lines_of(column("only", 60, 8, skew=skew))

    assert len({line.left for line in lines}) == 1
    pitches = [a.baseline - b.baseline for a, b in itertools.pairwise(lines)]
    assert pitches == pytest.approx([ROW / 2] * 7, abs=0.2)


def test_a_title_over_both_columns_parts_those_above_it_from_those_below():
    title = piece("A title that runs over both of the columns of this page", 100, 500)
    above = column("one", 60, 5), column("two", 560, 5)
    below = column("three", 60, 5, top=560), column("four", 560, 5, top=560)

    lines = lines_of([title, *below[1], *above[1], *above[0], *below[0]])

    expected = [*above[0], *above[1], title, *below[0], *below[1]]
    assert [line.text for line in lines] == [one.text for one in expected]


def test_three_columns_are_read_from_left_to_right():
    columns = [column(name, left, 6) for name, left in (("a", 20), ("b", 350), ("c", 680))]

    lines = lines_of([one for row in zip(*columns, strict=True) for one in row])

    assert [line.text for line in lines] == [one.text for group in columns for one in group]


def test_a_table_is_read_row_by_row():
    cells = [("Mars", "0.107"), ("Venus", "0.815"), ("Earth", "1.000"), ("Saturn", "95.16")]
    pieces = [
        piece(text, left, 100 + ROW * row)
        for row, cell in enumerate(cells)
        for text, left in zip(cell, (60, 500), strict=True)
    ]

    assert [line.text for line in lines_of(pieces)] == ["Mars 0.107", "Venus 0.815", "Earth 1.000", "Saturn 95.16"]


def test_pieces_of_one_line_are_put_together():
    pieces = [piece("of the line.", 400, 103), piece("The beginning", 60, 100), piece("The next line.", 60, 130)]

    assert [line.text for line in lines_of(pieces)] == ["The beginning of the line.", "The next line."]


def test_type_that_differs_little_is_of_one_size_and_a_large_title_is_a_heading():
    body = [
        piece(f"A line of plain text, number {row:02d}", 60, 300 + ROW * row, height=22 + row % 5) for row in range(12)
    ]

    lines = lines_of([piece("Large title", 60, 200, height=42), *body])

    assert len({line.size for line in lines[1:]}) == 1
    (heading,) = find_headings([list(lines)], [])[0]
    assert (heading.first, heading.last) == (0, 0)


def test_what_runs_up_the_page_comes_last_and_is_not_upright():
    stamp = Piece("Stamp of the archive", ((20, 100), (44, 100), (44, 320), (20, 320)))

    lines = lines_of([stamp, *column("only", 60, 4)])

    assert [line.upright for line in lines] == [True, True, True, True, False]
    assert lines[-1].text == "Stamp of the archive"


def test_nothing_on_the_page_gives_no_lines():
    assert lines_of([]) == ()
