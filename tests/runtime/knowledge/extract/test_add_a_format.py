"""The example of "Add a file format" in runtime/knowledge/README.md, run as it stands there."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from helpers.extractor_conformance import ExtractorConformance, extract

from satchel.runtime.knowledge.extract import registry
from satchel.runtime.knowledge.extract.registry import FORMATS, Format

README = Path(registry.__file__).resolve().parent.parent / "README.md"
SECTION = README.read_text(encoding="utf-8").partition("## Add a file format")[2]
MODULE_CODE, LINE_CODE = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)
MODULE = "satchel.runtime.knowledge.extract.subtitles"

NEW: Format = eval(LINE_CODE, {"Format": Format})
WITH_SUBTITLES = (
    NEW,
    *(Format(f.name, f.module, tuple(s for s in f.suffixes if s not in NEW.suffixes), f.kind) for f in FORMATS),
)


@pytest.fixture(scope="module", autouse=True)
def _the_example_is_a_module() -> Iterator[None]:
    module = ModuleType(MODULE)
    exec(compile(MODULE_CODE, str(README), "exec"), module.__dict__)
    sys.modules[MODULE] = module
    yield
    del sys.modules[MODULE]


class TestSubtitles(ExtractorConformance):
    SUFFIX = ".srt"
    MEDIA_TYPE = "application/x-subrip"
    HAS_HEADINGS = False
    FORMATS = WITH_SUBTITLES

    def write_sample(self, path: Path) -> Path:
        path.write_text(
            "1\n00:00:01,000 --> 00:00:03,000\nThe moons of Mars\nare called Phobos and Deimos.\n\n"
            "2\n00:00:04,000 --> 00:00:05,000\nBoth are small.\n"
        )
        return path


def test_the_example_leaves_times_out(tmp_path: Path) -> None:
    path = TestSubtitles().write_sample(tmp_path / "a.srt")
    assert extract(path, formats=WITH_SUBTITLES).text == f"{TestSubtitles.SENTENCE}\nBoth are small."


def test_the_example_is_short_enough_to_copy() -> None:
    assert len((MODULE_CODE + LINE_CODE).splitlines()) <= 40
