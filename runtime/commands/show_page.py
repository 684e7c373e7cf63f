"""Show the page that a citation names: its text, and for a PDF its picture with the quoted lines found on it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from satchel.runtime.errors import SatchelError
from satchel.runtime.packfile.errors import UnknownKnowledgeFileError
from satchel.runtime.packfile.schema_v1 import KnowledgeFile
from satchel.runtime.packfile.verified import VerifiedPack
from satchel.runtime.project.folder import load_project

_PDF = "application/pdf"


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A marked line, in pixels of the picture."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Picture:
    """Pixels of three bytes (red, green, blue), rows one after another."""

    width: int
    height: int
    pixels: bytes
    marks: tuple[Rectangle, ...]


@dataclass(frozen=True, slots=True)
class ShownPage:
    """A page of a file, or the whole of a file without pages."""

    file: str
    page: int | None
    """Counted from 1."""
    page_label: str
    pages: int
    start: int
    """Its first character in the file's extracted text."""
    text: str
    picture: Picture | None = None
    no_picture: str = ""
    """Why a PDF's page is shown as text."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page, and what is marked on it; offsets are characters of the file's extracted text."""

    file: str
    page: int | None
    start: int = 0
    end: int = 0
    width: int = 0
    """Of the picture, in pixels; 0: text alone."""


class _NoSourceError(Exception):
    """The file itself is not at hand."""


class PageDesk:
    """The pages of one assistant's files; for one thread at a time, in a worker process (it maps the pack)."""

    def __init__(self, verified: VerifiedPack, folder: Path | None) -> None:
        """`folder` is the project whose files these are: an index keeps none of them.

        Raises:
            PackError: the pack was changed since it was verified.
        """
        # Here, because they import NumPy, and whoever only asks for pages does so from another process.
        from satchel.runtime.knowledge.index import KnowledgeArrays
        from satchel.runtime.knowledge.page_pictures import PagePictures

        self._pack = verified.open()
        self._arrays = KnowledgeArrays.from_pack(self._pack)
        self._folder = folder
        self._pictures = PagePictures()

    def show(self, request: PageRequest) -> ShownPage:
        """Return a page; where its picture cannot be drawn, the text and the reason.

        Raises:
            UnknownKnowledgeFileError: there is no such file.
        """
        from satchel.runtime.knowledge.service import page_text

        known = {file.name: number for number, file in enumerate(self._arrays.files)}
        if request.file not in known:
            names = ", ".join(known) or "none"
            raise UnknownKnowledgeFileError(path=self._pack.path, file=request.file, known=names)
        file = self._arrays.files[known[request.file]]
        text = page_text(self._arrays, known[request.file], request.page)
        picture, reason = None, ""
        if file.media_type == _PDF and text.page is not None and request.width:
            begin, end = (max(0, min(at - text.start, len(text.text))) for at in (request.start, request.end))
            near = begin / max(1, len(text.text))
            picture, reason = self._picture(file, text.page, request.width, text.text[begin:end], near)
        return ShownPage(file.name, text.page, text.page_label, file.pages, text.start, text.text, picture, reason)

    def close(self) -> None:
        """End the process that draws, and close the pack."""
        self._pictures.close()
        self._pack.close()

    def _picture(
        self, file: KnowledgeFile, page: int, width: int, quote: str, near: float
    ) -> tuple[Picture | None, str]:
        def read() -> Iterable[bytes]:
            if file.source:
                return self._pack.chunks(file.source)
            return [self._own_file(file)]

        try:
            drawn = self._pictures.draw(file.sha256, read, page, name=file.name, width=width, quote=quote, near=near)
        except SatchelError as error:
            return None, error.message
        except _NoSourceError as error:
            return None, str(error)
        marks = tuple(Rectangle(mark.left, mark.top, mark.width, mark.height) for mark in drawn.marks)
        return Picture(drawn.width, drawn.height, drawn.pixels, marks), ""

    def _own_file(self, file: KnowledgeFile) -> bytes:
        """Return a project's file as it was when it was read."""
        if self._folder is None:
            raise _NoSourceError(f"{file.name} is not in the pack, its text is.")
        for own in load_project(self._folder).knowledge_files():
            if own.name == file.name:
                content = own.path.read_bytes()
                if hashlib.sha256(content).hexdigest() == file.sha256:
                    return content
        raise _NoSourceError(f"{file.name} has changed or gone since it was read.")
