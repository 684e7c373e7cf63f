from __future__ import annotations

from pathlib import Path

import pptx
import pytest
from helpers.documents import Slide, read_part, with_part, write_pptx
from helpers.extractor_conformance import ExtractorConformance, extract
from pptx.util import Inches

from satchel.runtime.knowledge.errors import EmptyDocumentError

SLIDES = (
    Slide("Small moons", ["Phobos is near.", "Deimos is far."], notes="Show the picture of Phobos."),
    Slide("Sizes", ["In kilometres"], table=[["Moon", "Radius"], ["Phobos", 11], ["Deimos", 6]]),
)


class TestSlides(ExtractorConformance):
    SUFFIX = ".pptx"
    MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
    HAS_PAGES = True

    def write_sample(self, path: Path) -> Path:
        return write_pptx(path, [Slide("Small moons", [self.SENTENCE]), *SLIDES])


def test_a_slide_is_a_page_with_title_points_and_notes(tmp_path: Path) -> None:
    extracted = extract(write_pptx(tmp_path / "a.pptx", SLIDES))
    first = "Small moons\n\nPhobos is near.\nDeimos is far.\n\nSpeaker notes: Show the picture of Phobos.\n\n"
    second = "Sizes\n\nIn kilometres\n\nMoon; Radius\nMoon: Phobos; Radius: 11\nMoon: Deimos; Radius: 6"
    assert extracted.text == first + second
    assert extracted.page_starts == (0, len(first))
    assert [extracted.text[h.start : h.end] for h in extracted.headings] == ["Small moons", "Sizes"]


def test_a_hidden_slide_is_left_out_counted_and_said_so(tmp_path: Path) -> None:
    path = write_pptx(tmp_path / "a.pptx", SLIDES)
    slide = read_part(path, "ppt/slides/slide1.xml")
    with_part(path, "ppt/slides/slide1.xml", slide.replace("<p:sld ", '<p:sld show="0" ', 1))
    extracted = extract(path)
    assert "Phobos is near" not in extracted.text
    assert len(extracted.page_starts) == 2
    assert extracted.notes == ("hidden slides left out: 1",)


def test_slides_come_in_the_order_of_the_presentation(tmp_path: Path) -> None:
    path = write_pptx(tmp_path / "a.pptx", SLIDES)
    presentation = pptx.Presentation(str(path))
    listing = presentation.slides._sldIdLst
    listing.append(listing[0])
    presentation.save(str(path))
    assert extract(path).text.startswith("Sizes")


def test_shapes_in_groups_are_read(tmp_path: Path) -> None:
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    group = slide.shapes.add_group_shape().shapes.add_group_shape()
    group.shapes.add_textbox(Inches(1), Inches(1), Inches(1), Inches(1)).text_frame.text = "Deep in a group"
    presentation.save(str(tmp_path / "a.pptx"))
    assert extract(tmp_path / "a.pptx").text == "Deep in a group"


def test_a_presentation_without_slides_is_empty(tmp_path: Path) -> None:
    with pytest.raises(EmptyDocumentError, match="it has no slides"):
        extract(write_pptx(tmp_path / "a.pptx", []))


def test_merged_cells_are_filled(tmp_path: Path) -> None:
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    table = slide.shapes.add_table(3, 3, Inches(1), Inches(1), Inches(5), Inches(3)).table
    for row, cells in enumerate((("Planet", "2023", ""), ("", "Q1", "Q2"), ("Mars", "1", "2"))):
        for column, text in enumerate(cells):
            table.cell(row, column).text = text
    table.cell(0, 1).merge(table.cell(0, 2))
    table.cell(0, 0).merge(table.cell(1, 0))
    presentation.save(str(tmp_path / "a.pptx"))
    assert extract(tmp_path / "a.pptx").text.splitlines()[-1] == "Planet: Mars; 2023 Q1: 1; 2023 Q2: 2"
