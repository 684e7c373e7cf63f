"""How a workbook shows its numbers: dates and percentages, which are stored as plain numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from satchel.runtime.knowledge.extract.archive import Archive
from satchel.runtime.knowledge.extract.markup import attribute, children, parse_xml

# ECMA-376 part 1, 18.8.30: formats that every program knows by number.
_BUILT_IN_DATES = {14, 15, 16, 17, 22, *range(27, 37), *range(50, 59)}
_BUILT_IN_TIMES = {18, 19, 20, 21, 45, 46, 47}
_BUILT_IN_PERCENT = {9, 10}
# Quoted text, escapes, colours and currencies say nothing about the kind of a format.
_LITERALS = re.compile(r'"[^"]*"|\\.|\[(?!h|m|s)[^\]]*\]|_.|\*.', re.IGNORECASE)
_DATE = re.compile(r"[yd]|(?<![hs:])m{1,5}(?![s:])", re.IGNORECASE)
_TIME = re.compile(r"[hs]", re.IGNORECASE)
_LAST_DAY = 2_958_465  # 9999-12-31


@dataclass(frozen=True, slots=True)
class NumberFormats:
    """The kind of each cell style: `date`, `time`, `percent` or nothing."""

    kinds: tuple[str, ...] = ()
    dates_from_1904: bool = False

    def show(self, value: str, style: str) -> str:
        """Return a stored number as a reader sees it; dates in ISO form."""
        try:
            number = float(value)
        except ValueError:
            return value
        kind = self.kinds[int(style)] if style.isdecimal() and int(style) < len(self.kinds) else ""
        if kind in {"date", "time"} and 0 <= number <= _LAST_DAY:
            return self._moment(number, time_only=kind == "time")
        if kind == "percent":
            return f"{number * 100:.10g}%"
        # Floats are stored with all their 17 digits, 0.1 as 0.10000000000000001.
        return f"{number:.15g}"

    def _moment(self, number: float, *, time_only: bool) -> str:
        # Day 60 of the 1900 system is the 29th of February that year did not have.
        start = datetime(1904, 1, 1) if self.dates_from_1904 else datetime(1899, 12, 31 if number < 60 else 30)  # noqa: DTZ001, PLR2004 - workbooks know no time zone
        moment = start + timedelta(seconds=round(number * 86_400))
        if time_only and number < 1:
            return f"{moment:%H:%M:%S}".removesuffix(":00")
        return f"{moment:%Y-%m-%d}" if moment.time() == datetime.min.time() else f"{moment:%Y-%m-%d %H:%M}"


def read_formats(archive: Archive, part: str | None, *, file: str, dates_from_1904: bool) -> NumberFormats:
    """Return the formats of a workbook's styles part."""
    if part is None:
        return NumberFormats(dates_from_1904=dates_from_1904)
    root = parse_xml(archive.read(part), file=file, part=part)
    codes = {
        attribute(item, "numFmtId"): attribute(item, "formatCode")
        for listing in children(root, "numFmts")
        for item in children(listing, "numFmt")
    }
    kinds = tuple(
        _kind(attribute(style, "numFmtId"), codes)
        for listing in children(root, "cellXfs")
        for style in children(listing, "xf")
    )
    return NumberFormats(kinds, dates_from_1904)


def _kind(number: str, codes: dict[str, str]) -> str:
    if number in codes:
        code = _LITERALS.sub("", codes[number].split(";")[0])
        if code.lower() == "general":
            return ""
        if "%" in code:
            return "percent"
        return "date" if _DATE.search(code) else "time" if _TIME.search(code) else ""
    identifier = int(number) if number.isdecimal() else 0
    for kind, known in (("date", _BUILT_IN_DATES), ("time", _BUILT_IN_TIMES), ("percent", _BUILT_IN_PERCENT)):
        if identifier in known:
            return kind
    return ""
