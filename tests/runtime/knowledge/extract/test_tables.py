from __future__ import annotations

import pytest

from satchel.runtime.knowledge.extract.grid import Grid
from satchel.runtime.knowledge.extract.tables import describe_rows


def described(*rows: str) -> list[str]:
    """Rows are written with bars between their cells."""
    return list(describe_rows([cell.strip() for cell in row.split("|")] for row in rows))


def test_cells_are_named_by_the_first_row() -> None:
    assert described("Planet | Mass", "Mars | 0.1", "Venus |") == [
        "Planet; Mass",
        "Planet: Mars; Mass: 0.1",
        "Planet: Venus",
    ]


def test_a_first_row_of_numbers_is_no_header() -> None:
    assert described("Mars | 0.1 | 2", "Venus | 0.8 | 0") == ["Mars; 0.1; 2", "Venus; 0.8; 0"]


def test_years_are_names() -> None:
    assert described("Country | 2019 | 2020", "Chad | 5 | 6")[1] == "Country: Chad; 2019: 5; 2020: 6"


def test_pairs_are_name_and_value() -> None:
    assert described("Mass | 5 kg", "Radius | 6 km") == ["Mass: 5 kg", "Radius: 6 km"]


def test_a_header_holds_over_a_blank_row() -> None:
    assert described("Planet | Mass", "Mars | 0.1", "", "Venus | 0.8")[-1] == "Planet: Venus; Mass: 0.8"


def test_a_second_table_names_its_columns_anew() -> None:
    lines = described("Planet | Mass", "Mars | 0.1", "", "Moon | Radius", "Phobos | 11")
    assert lines[2:] == ["", "Moon; Radius", "Moon: Phobos; Radius: 11"]


def test_a_header_of_two_rows_is_joined() -> None:
    assert (
        described("Planet | 2023 | 2023", "Planet | Q1 | Q2", "Mars | 1 | 2")[-1]
        == "Planet: Mars; 2023 Q1: 1; 2023 Q2: 2"
    )


def test_single_cells_are_no_table() -> None:
    assert described("A title", "A subtitle", "", "A remark") == ["A title", "A subtitle", "", "A remark"]


def test_line_ends_in_cells_become_spaces() -> None:
    assert list(describe_rows([["Planet", "Note"], ["Mars", "two\r\nlines"]]))[1] == "Planet: Mars; Note: two lines"


@pytest.mark.parametrize("rows", [[], [[]], [["", ""]], [[""], ["", " "]]])
def test_nothing_is_described_by_nothing(rows: list[list[str]]) -> None:
    assert list(describe_rows(rows)) == []


def test_a_grid_fills_what_a_cell_spans() -> None:
    grid = Grid()
    grid.start_row()
    grid.add("a", rows=2)
    grid.add("b", columns=2)
    grid.start_row()
    grid.add("c")
    grid.add("d")
    assert grid.rows() == [["a", "b", "b"], ["a", "c", "d"]]


def test_spans_past_all_measure_are_cut() -> None:
    grid = Grid()
    grid.start_row()
    grid.add("a", columns=10**9, rows=10**9)
    grid.start_row()
    assert [len(row) for row in grid.rows()] == [1000, 1000]
