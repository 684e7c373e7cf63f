from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path

import openpyxl
import pytest
from helpers.documents import read_part, with_part, write_xlsx
from helpers.extractor_conformance import ExtractorConformance, extract

from satchel.runtime.knowledge.errors import DamagedDocumentError, TooLargeError
from satchel.runtime.knowledge.extract.number_formats import NumberFormats

SHEET = "xl/worksheets/sheet1.xml"


class TestSpreadsheet(ExtractorConformance):
    SUFFIX = ".xlsx"
    MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    HAS_PAGES = True
    HAS_HEADINGS = False

    def write_sample(self, path: Path) -> Path:
        return write_xlsx(path, {"Moons": [["Planet", "Note"], ["Mars", self.SENTENCE]], "Others": [["a", 1]]})


def text_of(tmp_path: Path, rows: list[list[object]], *, merges: tuple[str, ...] = ()) -> str:
    return extract(write_xlsx(tmp_path / "a.xlsx", {"Sheet": rows}, merges={"Sheet": merges})).text


def test_a_sheet_is_a_page_labelled_with_its_name(tmp_path: Path) -> None:
    extracted = extract(write_xlsx(tmp_path / "a.xlsx", {"Größen": [["a", "b"], [1, 2]], "Empty": [], "Z": [["c"]]}))
    assert extracted.page_labels == ("Größen", "Empty", "Z")
    assert extracted.text[extracted.page_starts[2] :] == "c"


def test_a_row_explains_itself(tmp_path: Path) -> None:
    rows = [["Planet", "Mass", "Moons"], ["Mars", 0.107, 2], ["Venus", 0.815, None]]
    assert text_of(tmp_path, rows).splitlines()[1:] == [
        "Planet: Mars; Mass: 0.107; Moons: 2",
        "Planet: Venus; Mass: 0.815",
    ]


def test_dates_times_and_percentages_are_shown_as_such(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(["When", "At", "Both", "Share", "Truth"])
    landing = datetime.fromisoformat("1969-07-20 20:17")
    workbook.active.append([date(2024, 2, 29), time(14, 30), landing, 0.256, True])
    workbook.active["D2"].number_format = "0.0%"
    workbook.save(tmp_path / "a.xlsx")
    expected = "When: 2024-02-29; At: 14:30; Both: 1969-07-20 20:17; Share: 25.6%; Truth: TRUE"
    assert extract(tmp_path / "a.xlsx").text.splitlines()[1] == expected


@pytest.mark.parametrize(
    ("stored", "from_1904", "shown"),
    [("1", False, "1900-01-01"), ("59", False, "1900-02-28"), ("61", False, "1900-03-01"), ("0", True, "1904-01-01")],
)
def test_both_calendars_of_excel_are_known(stored: str, from_1904: bool, shown: str) -> None:
    assert NumberFormats(("date",), dates_from_1904=from_1904).show(stored, "0") == shown


def test_floats_are_shown_without_their_last_digits() -> None:
    assert NumberFormats().show("0.10000000000000001", "0") == "0.1"


def test_a_formula_gives_the_value_saved_with_it_or_else_itself(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"Sheet": [["Sum", "Product"], ["=1+2", "=2*3"]]})
    sheet = read_part(path, SHEET)
    with_part(
        path,
        SHEET,
        sheet.replace("<f>1+2</f><v></v>", "<f>1+2</f><v>3</v>").replace("<f>1+2</f><v />", "<f>1+2</f><v>3</v>"),
    )
    assert extract(path).text.splitlines()[1] == "Sum: 3; Product: =2*3"


def test_a_header_merged_over_columns_names_each_of_them(tmp_path: Path) -> None:
    rows = [["Planet", "2023", None], [None, "Q1", "Q2"], ["Mars", 1, 2]]
    assert text_of(tmp_path, rows, merges=("B1:C1", "A1:A2")).splitlines()[-1] == "Planet: Mars; 2023 Q1: 1; 2023 Q2: 2"


def test_a_name_merged_over_rows_stands_in_each_of_them(tmp_path: Path) -> None:
    rows = [["Planet", "Moon"], ["Mars", "Phobos"], [None, "Deimos"]]
    assert text_of(tmp_path, rows, merges=("A2:A3",)).splitlines()[-1] == "Planet: Mars; Moon: Deimos"


def test_a_title_above_a_table_is_no_header(tmp_path: Path) -> None:
    rows = [["Masses of planets"], [], ["Planet", "Mass"], ["Mars", 0.1]]
    assert text_of(tmp_path, rows).splitlines()[-1] == "Planet: Mars; Mass: 0.1"


def test_rows_far_apart_are_one_blank_line_apart(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.active["A1"], workbook.active["XFD1048576"] = "first", "last"
    workbook.save(tmp_path / "a.xlsx")
    assert extract(tmp_path / "a.xlsx").text == "first\n\nlast"


def test_a_hidden_sheet_is_left_out_and_said_so(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(["public"])
    workbook.create_sheet("Salaries").append(["secret"])
    workbook["Salaries"].sheet_state = "hidden"
    workbook.save(tmp_path / "a.xlsx")
    extracted = extract(tmp_path / "a.xlsx")
    assert (extracted.text, extracted.notes) == ("public", ("hidden sheet left out: Salaries",))


def test_entities_in_a_sheet_are_refused(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"Data": [["x"]]})
    sheet = read_part(path, SHEET)
    with_part(path, SHEET, '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + sheet)
    with pytest.raises(DamagedDocumentError, match=r"a\.xlsx, sheet Data .* declares XML entities"):
        extract(path)


def test_a_bomb_is_refused_by_its_declared_size(tmp_path: Path) -> None:
    path = with_part(write_xlsx(tmp_path / "a.xlsx", {"Data": [["x"]]}), SHEET, b" " * (300 << 20))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(
        TooLargeError, match=r"a.xlsx is too large: its part xl/worksheets/sheet1.xml expands to 300 MiB"
    ):
        extract(path)
