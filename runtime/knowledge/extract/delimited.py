"""CSV and its relatives: rows as "Header: value; …" lines, whatever the delimiter."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePath

from satchel.runtime.knowledge.documents import ExtractedText
from satchel.runtime.knowledge.errors import DamagedDocumentError
from satchel.runtime.knowledge.extract.assembly import TextBuilder
from satchel.runtime.knowledge.extract.plain_text import decode_visible
from satchel.runtime.knowledge.extract.protocol import Source, Step
from satchel.runtime.knowledge.extract.tables import describe_rows

MEDIA_TYPES = {"\t": "text/tab-separated-values"}

_DELIMITERS = ",;\t|"
_SAMPLE_CHARACTERS = 64 * 1024
_ROWS_A_STEP = 1000
_LONGEST_CELL = 1 << 24


def extract(source: Source, step: Step) -> ExtractedText:
    """Return one line a row, its cells named by the first row where that holds names."""
    decoded = decode_visible(source)
    delimiter = sniff_delimiter(decoded.text, suffix=PurePath(source.name).suffix.lower())
    builder = TextBuilder(source.name)
    for note in decoded.notes:
        builder.note(note)
    builder.rows(describe_rows(_rows(decoded.text, delimiter, source, step)))
    return builder.build(MEDIA_TYPES.get(delimiter, "text/csv"))


def sniff_delimiter(text: str, *, suffix: str = "") -> str:
    """Return the character that cuts the first rows most evenly; Python's own sniffer guesses wrong on quoted text.

    A first line `sep=;`, which spreadsheet programs write, is believed.
    """
    if text[:4].lower() == "sep=" and text[5:6] == "\n":
        return text[4]
    sample = text[:_SAMPLE_CHARACTERS]
    best, best_score = "\t" if suffix in {".tsv", ".tab"} else ",", 0.0
    for delimiter in _DELIMITERS:
        widths = Counter(len(row) for row in csv.reader(io.StringIO(sample), delimiter=delimiter) if row)
        width, rows = max(widths.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]), default=(1, 0))
        score = rows / max(1, sum(widths.values())) * min(width, 10) if width > 1 else 0.0
        if score > best_score * 1.05:
            best, best_score = delimiter, score
    return best


def _rows(text: str, delimiter: str, source: Source, step: Step) -> Iterator[list[str]]:
    csv.field_size_limit(_LONGEST_CELL)
    skip = 1 if text[:4].lower() == "sep=" else 0
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)):
            if number % _ROWS_A_STEP == 0:
                step(number, None)
            if number >= skip:
                yield row
    except csv.Error as error:
        raise DamagedDocumentError(file=source.name, reason=f"its rows cannot be told apart ({error})") from error
