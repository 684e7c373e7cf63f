"""The values that pass between extraction, passages and the index."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading's place in a file's text; characters, end exclusive."""

    start: int
    end: int
    level: int


@dataclass(frozen=True, slots=True)
class ExtractedText:
    r"""The text of one knowledge file, and where its pages and headings lie in it.

    `page_starts` are character offsets (code points), rising; empty where the format has no pages.
    `page_labels` are the printed labels ("iv", "Sheet1"), one a page, or empty.
    `notes` say in plain words what a person has lost: they become the file's `problem`. What nobody misses is no note.
    `from_pictures` are the pages (from 1) whose text was read from their pictures; `unread_pictures` those with a
    picture and no text, which still wait to be read.
    Line ends are `\n`; there is no NUL and no lone surrogate, so the text always encodes to UTF-8.
    """

    media_type: str
    text: str
    page_starts: tuple[int, ...] = ()
    page_labels: tuple[str, ...] = ()
    headings: tuple[Heading, ...] = ()
    notes: tuple[str, ...] = ()
    from_pictures: tuple[int, ...] = ()
    unread_pictures: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PassageSpan:
    """A passage's character range within its file's text, end exclusive."""

    start: int
    end: int
