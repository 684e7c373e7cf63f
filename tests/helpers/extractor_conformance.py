"""What every file format keeps to. A format's test file has a class that inherits these tests and writes a sample."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from satchel.runtime.errors import CancelledError
from satchel.runtime.knowledge.documents import ExtractedText
from satchel.runtime.knowledge.errors import DocumentError, EmptyDocumentError
from satchel.runtime.knowledge.extract.protocol import Source
from satchel.runtime.knowledge.extract.reader import DocumentReader
from satchel.runtime.knowledge.extract.registry import FORMATS, Format, extract_text
from satchel.runtime.knowledge.extract.validity import find_fault

_MUTATIONS = 25
_CUTS = 12


def ignore(_done: int, _total: int | None) -> None:
    """Report nothing."""


def extract(path: Path, *, password: str | None = None, formats: tuple[Format, ...] = FORMATS) -> ExtractedText:
    """Read a file in this process."""
    return extract_text(Source(path.name, path.read_bytes(), password), ignore, formats)


class ExtractorConformance:
    """Inherit as `class TestPdf(ExtractorConformance)` and fill in the names below.

    The sample holds `SENTENCE` in a plain paragraph, and a heading that says `HEADING` where the format has headings.
    """

    SUFFIX = ""
    MEDIA_TYPE = ""
    SENTENCE = "The moons of Mars are called Phobos and Deimos."
    HEADING = "Small moons"
    HAS_PAGES = False
    HAS_HEADINGS = True
    FORMATS: tuple[Format, ...] = FORMATS

    def write_sample(self, path: Path) -> Path:
        """Write a document of this format."""
        raise NotImplementedError

    @pytest.fixture
    def sample(self, tmp_path: Path) -> Path:
        return self.write_sample(tmp_path / f"sample{self.SUFFIX}")

    def test_its_text_is_found_whole(self, sample: Path) -> None:
        assert self.SENTENCE in extract(sample, formats=self.FORMATS).text

    def test_its_result_keeps_to_the_rules_of_extracted_text(self, sample: Path) -> None:
        extracted = extract(sample, formats=self.FORMATS)
        assert find_fault(extracted) == ""
        assert extracted.media_type == self.MEDIA_TYPE
        assert bool(extracted.page_starts) == self.HAS_PAGES

    def test_its_headings_are_found(self, sample: Path) -> None:
        extracted = extract(sample, formats=self.FORMATS)
        titles = [extracted.text[heading.start : heading.end] for heading in extracted.headings]
        assert any(self.HEADING in title for title in titles) == self.HAS_HEADINGS

    def test_the_same_bytes_give_the_same_text(self, sample: Path) -> None:
        assert extract(sample, formats=self.FORMATS) == extract(sample, formats=self.FORMATS)

    def test_its_steps_rise_to_their_total(self, sample: Path) -> None:
        steps: list[tuple[int, int | None]] = []
        extract_text(Source(sample.name, sample.read_bytes()), lambda *step: steps.append(step), self.FORMATS)
        assert steps == sorted(steps, key=lambda step: step[0])
        assert steps, "nothing would show that it works, and nothing could cancel it"

    def test_it_stops_where_a_step_raises(self, sample: Path) -> None:
        def refuse(_done: int, _total: int | None) -> None:
            raise CancelledError

        with pytest.raises(CancelledError):
            extract_text(Source(sample.name, sample.read_bytes()), refuse, self.FORMATS)

    def test_an_empty_file_is_named_with_its_reason(self, tmp_path: Path) -> None:
        empty = tmp_path / f"empty{self.SUFFIX}"
        empty.touch()
        with pytest.raises(EmptyDocumentError, match=f"empty{self.SUFFIX} is empty: it has 0 bytes"):
            extract(empty, formats=self.FORMATS)

    def test_a_file_cut_short_anywhere_is_read_in_part_or_refused(self, sample: Path, reader: DocumentReader) -> None:
        content = sample.read_bytes()
        for number in range(1, _CUTS):
            sample.write_bytes(content[: len(content) * number // _CUTS])
            self._is_read_or_refused(sample, reader)

    def test_a_file_with_wrong_bytes_is_read_or_refused(self, sample: Path, reader: DocumentReader) -> None:
        content = sample.read_bytes()
        chance = random.Random(7)
        for _ in range(_MUTATIONS):
            broken = bytearray(content)
            for _ in range(chance.choice((1, 10, 200))):
                broken[chance.randrange(len(broken))] = chance.randrange(256)
            sample.write_bytes(broken)
            self._is_read_or_refused(sample, reader)

    @staticmethod
    def _is_read_or_refused(path: Path, reader: DocumentReader) -> None:
        error = None
        try:
            document = reader.read(path)
        except DocumentError as refusal:
            error = refusal
        if error is None:
            assert find_fault(document.extracted) == ""
        else:
            assert error.fields["file"] == path.name
            assert path.name in error.message
