"""What the search box shows, without a widget: passages with marked words and two bars, and why files were not used."""

from __future__ import annotations

import re
from dataclasses import dataclass

from satchel.builder.language import translate
from satchel.runtime.commands.search import SearchResult

_MOST_CHARACTERS = 280
_WORD = re.compile(r"\w+")
_STEM = 4
"""Words that share so many first letters with a word of the question are marked: "floods" for "flood"."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found."""

    number: int
    pieces: tuple[tuple[str, bool], ...]
    """Its text in pieces, each with whether it is marked."""
    place: str
    meaning: float | None
    """0 to 1; None where the question could not be embedded."""
    words: float
    """0 to 1, of the best."""
    file: str
    page: int | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Found:
    """All of it."""

    hits: tuple[Hit, ...]
    kept_back: str
    """How many were kept back, in words; empty for none."""
    why: tuple[tuple[str, str], ...]
    """For each file that was not used: its name and why."""
    warnings: tuple[str, ...]


def found_of(question: str, result: SearchResult) -> Found:
    """Return what to show of a search."""
    asked = [word.casefold() for word in _WORD.findall(question)]
    best = max((passage.bm25 for passage in result.passages), default=0.0)
    hits = tuple(
        Hit(
            number,
            marked(_shortened(passage.text, asked), asked),
            place_words(passage.file, passage.page_label or (str(passage.page) if passage.page else "")),
            None if passage.vector is None else min(1.0, max(0.0, passage.vector)),
            passage.bm25 / best if best > 0 else 0.0,
            passage.file,
            passage.page,
            passage.start,
            passage.end,
        )
        for number, passage in enumerate(result.passages, 1)
    )
    kept = ""
    if result.below_gate:
        kept = translate("Knowledge", "{n} more below the relevance gate", n=result.below_gate)
    why = tuple((file.file, file.reason) for file in result.files if not file.used)
    return Found(hits, kept, why, tuple(warning.text for warning in result.warnings))


def place_words(file: str, page: str) -> str:
    """Return "tides.pdf · p. 12"."""
    name = file.rpartition("/")[2]
    return translate("Knowledge", "{file} · p. {page}", file=name, page=page) if page else name


def marked(text: str, asked: list[str]) -> tuple[tuple[str, bool], ...]:
    """Cut a text into pieces: words of the question, as written or with another ending, and what lies between."""
    pieces: list[tuple[str, bool]] = []
    end = 0
    for match in _WORD.finditer(text):
        word = match[0].casefold()
        if any(_alike(word, other) for other in asked):
            if match.start() > end:
                pieces.append((text[end : match.start()], False))
            pieces.append((match[0], True))
            end = match.end()
    if end < len(text):
        pieces.append((text[end:], False))
    return tuple(pieces)


def _alike(word: str, other: str) -> bool:
    if len(word) < _STEM or len(other) < _STEM:
        return False
    return word == other or word.startswith(other) or (other.startswith(word) and len(other) - len(word) <= 2)


def _shortened(text: str, asked: list[str]) -> str:
    """Return the part of a long passage that begins near the first asked word, on one line."""
    line = " ".join(text.split())
    if len(line) <= _MOST_CHARACTERS:
        return line
    hit = next(
        (match.start() for match in _WORD.finditer(line) if any(_alike(match[0].casefold(), w) for w in asked)), 0
    )
    start = 0 if hit < _MOST_CHARACTERS // 2 else line.rfind(" ", 0, hit - 60) + 1
    cut = line[start : start + _MOST_CHARACTERS]
    cut = cut if start + _MOST_CHARACTERS >= len(line) else cut.rpartition(" ")[0] + " …"
    return ("… " if start else "") + cut
