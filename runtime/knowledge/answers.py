"""What the knowledge worker answers: the values that cross the pipe between it and a session."""

from __future__ import annotations

from typing import Literal

import msgspec


class PageStart(msgspec.Struct, frozen=True):
    """A page that begins inside a passage; `start` is a character of the file's extracted text."""

    start: int
    page: int
    """Counted from 1."""
    page_label: str


class FoundPassage(msgspec.Struct, frozen=True):
    """A passage that a question found; offsets are characters of its file's extracted text, end exclusive."""

    file: str
    page: int | None
    """Where its first character stands; None where the format has no pages."""
    page_label: str
    start: int
    end: int
    text: str
    score: float
    """Fused, 0 to 1; comparable within one search only."""
    bm25: float
    vector: float | None
    """Raw cosine; None when the question could not be embedded."""
    further_pages: tuple[PageStart, ...] = ()
    """Those that begin after its first character, in order."""
    picture_pages: tuple[int, ...] = ()
    """Those of its pages whose text was read from their pictures, and may have been read wrongly."""

    def page_at(self, start: int) -> tuple[int | None, str]:
        """Return page and label of the file's character `start`, which lies in this passage."""
        begun = [entry for entry in self.further_pages if entry.start <= start]
        return (begun[-1].page, begun[-1].page_label) if begun else (self.page, self.page_label)


class Quotation(msgspec.Struct, frozen=True):
    """A sentence that answers, and the exact span within it; offsets as in `FoundPassage`."""

    file: str
    page: int | None
    page_label: str
    start: int
    end: int
    text: str
    answer_start: int
    answer_end: int
    score: float
    """Estimated probability that the span answers the question."""
    from_picture: bool = False
    """Its page was read from its picture."""

    @property
    def answer(self) -> str:
        """The exact span."""
        return self.text[self.answer_start - self.start : self.answer_end - self.start]


class KnowledgeWarning(msgspec.Struct, frozen=True):
    """Something that the person should know; `kind` is stable, `text` is in plain words."""

    kind: str
    text: str


class KnowledgeAnswer(msgspec.Struct, frozen=True):
    """The passages that a question found and, when asked for, the quotations that answer it."""

    passages: tuple[FoundPassage, ...]
    """Above the gate, best first."""
    below_gate: int
    """How many of the k best the gate kept back."""
    quotations: tuple[Quotation, ...] = ()
    """Best first; empty when nothing answers."""
    warnings: tuple[KnowledgeWarning, ...] = ()
    timings_ms: dict[str, float] = {}


class CheckedSentence(msgspec.Struct, frozen=True):
    """A sentence of an answer beside the passages; `start` and `end` are characters of the answer."""

    start: int
    end: int
    verdict: Literal["supported", "not_found", "contradicted", "not_checked"]
    passage: int | None
    """Number of the passage that holds it or speaks otherwise; None where none does."""
    differing: tuple[str, ...] = ()
    """The sentence's names and numbers that the passage has not, or says of something else."""


class AnswerCheck(msgspec.Struct, frozen=True):
    """What became of an answer's sentences."""

    sentences: tuple[CheckedSentence, ...]
    not_checked: str = ""
    """A language that there is no verdict in, by its English name."""


class FileExplanation(msgspec.Struct, frozen=True):
    """How one file did for a question."""

    file: str
    language: str
    used: bool
    reason: str
    """Why it was used or not, in plain words."""
    rank: int | None
    """Place of its best passage among all; None when nothing of it was a candidate."""
    page: int | None = None
    score: float | None = None
    bm25: float | None = None
    vector: float | None = None
    relevance: float | None = None
    """What the gate made of it: the estimated probability that it bears on the question."""
    matched: tuple[str, ...] = ()
    """The question's terms that stand in the passage."""
    from_picture: bool = False
    """A page of the passage was read from its picture."""


class PageText(msgspec.Struct, frozen=True):
    """A page of a file, or the whole of a file without pages; `start` is its first character in the file's text."""

    file: str
    page: int | None
    page_label: str
    start: int
    text: str


class KnowledgeSummary(msgspec.Struct, frozen=True):
    """What was opened."""

    files: int
    passages: int
    languages: tuple[str, ...]
    trusted: tuple[str, ...] = ()
    """Files that their author ticked "I trust what these files say" for."""
    public: tuple[str, ...] = ()
    """Files that their author ticked "nothing in these files is secret" for."""
