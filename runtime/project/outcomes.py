"""What indexing and building a project return; the values that cross the pipe from their process."""

from __future__ import annotations

import msgspec


class IndexedFile(msgspec.Struct, frozen=True):
    """What is known of one file; `problem` is empty when nothing went wrong."""

    name: str
    media_type: str
    language: str
    pages: int
    characters: int
    passages: int
    problem: str
    picture_pages: int = 0
    """How many pages were read from their pictures."""

    @property
    def left_out(self) -> str:
        """Why nothing of the file is known, in words that name it; empty when something is."""
        if not self.problem or self.passages:
            return ""
        return self.problem if self.problem.startswith(f"{self.name} ") else f"{self.name}: {self.problem}"


class ProjectIndex(msgspec.Struct, frozen=True):
    """The knowledge of a project, ready to be searched."""

    path: str
    """A pack in the cache that holds the arrays; empty when no file has text."""
    files: tuple[IndexedFile, ...]
    passages: int
    fresh: bool
    """Nothing had changed: it was there already."""
    embedder: str
    notes: tuple[str, ...] = ()
    """What the person should know, for instance that a file's language is not the embedder's."""


class BuiltPack(msgspec.Struct, frozen=True):
    """The pack that was written, and what it knows."""

    path: str
    pack_id: str
    size: int
    """Bytes."""
    files: tuple[IndexedFile, ...]
    passages: int
    notes: tuple[str, ...] = ()
