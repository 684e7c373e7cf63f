# ruff: noqa: RUF001 - the apostrophe of print
from __future__ import annotations

import difflib
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from helpers.extractor_conformance import extract

SCRIPT = Path(__file__).parents[3] / "packs" / "samples" / "make_chapter_pdf.py"
SENTENCE = "A planet’s speed is greatest where its orbit comes closest to the Sun, and P² ∝ a³ holds for all of them. "
CHAPTER = "# Orbits\n\n" + "\n\n".join(
    f"## Part {part}\n\n{SENTENCE * 6}\n\n### Aims of part {part}\n\n"
    f"- {SENTENCE}\n\n- Draw\n\n1. First\n2. Second\n\n{SENTENCE * 9}"
    for part in range(1, 6)
)


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_chapter_pdf", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_chapter_pdf"] = module  # where its dataclass looks for its annotations
    spec.loader.exec_module(module)
    return module


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", re.sub(r"(?m)^\d+\. ", "", text))


def test_the_same_chapter_gives_the_same_bytes(script: ModuleType, tmp_path: Path) -> None:
    for name in ("a.pdf", "b.pdf"):
        script.make_chapter_pdf(CHAPTER, tmp_path / name, source="From a book")
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


def test_extraction_gives_the_chapter_back(script: ModuleType, tmp_path: Path) -> None:
    script.make_chapter_pdf(CHAPTER, tmp_path / "a.pdf", first_page=67)
    extracted = extract(tmp_path / "a.pdf")
    assert extracted.page_labels == tuple(str(67 + page) for page in range(len(extracted.page_starts)))
    titles = [(extracted.text[heading.start : heading.end], heading.level) for heading in extracted.headings]
    assert titles == [("Orbits", 1)] + [
        title for part in range(1, 6) for title in ((f"Part {part}", 2), (f"Aims of part {part}", 3))
    ]
    expected, found = words(CHAPTER), words(extracted.text)
    same = sum(
        block.size for block in difflib.SequenceMatcher(None, expected, found, autojunk=False).get_matching_blocks()
    )
    assert same >= 0.99 * len(expected)
    assert (SENTENCE * 9).strip() in extracted.text.replace("\n", " ")


def test_a_character_without_a_glyph_is_named(script: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(script.MissingGlyphError, match=r"U\+0427 \(Ч\) is in none of the standard PDF fonts"):
        script.make_chapter_pdf("# Title\n\nText Что", tmp_path / "a.pdf")
