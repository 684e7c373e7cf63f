"""All formats, and which of them a file is in: by content first, by suffix between kinds of text."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import cast

from satchel.runtime.errors import SatchelError
from satchel.runtime.knowledge.documents import ExtractedText
from satchel.runtime.knowledge.errors import (
    DamagedDocumentError,
    EmptyDocumentError,
    EncryptedDocumentError,
    TooLargeError,
    UnknownFormatError,
)
from satchel.runtime.knowledge.extract.decoding import looks_like_text
from satchel.runtime.knowledge.extract.limits import MAX_TEXT_BYTES, in_mib
from satchel.runtime.knowledge.extract.protocol import Extractor, Source, Step
from satchel.runtime.knowledge.extract.sniffing import HEAD_BYTES, guess_kind, is_pdf
from satchel.runtime.knowledge.extract.source_code import LANGUAGES

_HERE = "satchel.runtime.knowledge.extract"
# In two-byte encodings text takes twice the room that it has in UTF-8.
_MAX_TEXT_FILE_BYTES = 2 * MAX_TEXT_BYTES


@dataclass(frozen=True, slots=True)
class Format:
    """One file format.

    `kind` is what `sniffing` calls it where the content tells; formats that are told by their suffix alone have none.
    `module` is imported at the first file of the format and has the function `extract` (see `protocol.Extractor`).
    """

    name: str
    module: str
    suffixes: tuple[str, ...]
    kind: str = ""

    def extractor(self) -> Extractor:
        """Import the format's module and return its extractor."""
        return cast("Extractor", importlib.import_module(self.module).extract)


FORMATS: tuple[Format, ...] = (
    Format("PDF", f"{_HERE}.pdf", (".pdf",), "pdf"),
    Format("Word (.docx)", f"{_HERE}.word", (".docx", ".docm", ".dotx", ".dotm"), "docx"),
    Format("PowerPoint (.pptx)", f"{_HERE}.slides", (".pptx", ".pptm", ".ppsx", ".ppsm", ".potx"), "pptx"),
    Format("Excel (.xlsx)", f"{_HERE}.spreadsheet", (".xlsx", ".xlsm", ".xltx", ".xltm"), "xlsx"),
    Format("EPUB", f"{_HERE}.epub", (".epub",), "epub"),
    Format("HTML", f"{_HERE}.hypertext", (".html", ".htm", ".xhtml"), "html"),
    Format("Markdown", f"{_HERE}.markdown", (".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd", ".rmd")),
    Format("CSV", f"{_HERE}.delimited", (".csv", ".tsv", ".tab")),
    Format("source code", f"{_HERE}.source_code", tuple(LANGUAGES)),
    Format("plain text", f"{_HERE}.plain_text", (".txt", ".text", ".log", ".rst", ".adoc", ".asc", ".srt", ".vtt", "")),
)
"""A new format is one line here and one module beside this one; see "Add a file format" in ../README.md."""


def choose_format(source: Source, formats: Sequence[Format] = FORMATS) -> Format:
    """Return the format of a file.

    Raises:
        EncryptedDocumentError: an Office file under a password.
        DamagedDocumentError: its suffix names a format that its bytes are not.
        UnknownFormatError: none fits; the message lists what can be read.
    """
    guess = guess_kind(source)
    suffix = PurePath(source.name).suffix.lower()
    by_suffix = next((known for known in formats if suffix in known.suffixes), None)
    if guess.kind == "encrypted-office":
        raise EncryptedDocumentError(
            file=source.name,
            reason="it needs a password to open",
            advice="Save a copy without a password in the program that made it.",
        )
    if guess.refusal:
        raise UnknownFormatError(file=source.name, reason=guess.refusal, readable=readable_names(formats))
    by_content = next((known for known in formats if known.kind == guess.kind and guess.kind), None)
    if by_content is not None and guess.kind != "html":
        return by_content
    if not looks_like_text(source.content[:HEAD_BYTES]):
        if by_suffix is not None and by_suffix.kind not in {"", "html"}:
            raise DamagedDocumentError(file=source.name, reason=f"it does not begin like a {by_suffix.name} file")
        raise UnknownFormatError(
            file=source.name, reason="it is neither text nor a format known here", readable=readable_names(formats)
        )
    # Among texts the suffix decides: a Markdown or PHP file may well begin with HTML. But a web page saved as
    # report.pdf is a web page.
    is_text_format = by_suffix is not None and by_suffix.kind in {"", "html"}
    if by_suffix is not None and is_text_format and not (by_content and by_suffix.name == "plain text"):
        return by_suffix
    return by_content or next(known for known in formats if known.name == "plain text")


def extract_text(source: Source, step: Step, formats: Sequence[Format] = FORMATS) -> ExtractedText:
    """Return the text of a file, whichever format it is in.

    Raises:
        DocumentError: it cannot be read. What a parser raises on broken input becomes a `DamagedDocumentError`.
    """
    if not source.content:
        raise EmptyDocumentError(file=source.name, reason="it has 0 bytes")
    try:
        return choose_format(source, formats).extractor()(source, step)
    except (SatchelError, MemoryError):
        raise
    except Exception as error:
        traceback.print_exc()  # which one it was is for the reader's log
        raise DamagedDocumentError(file=source.name, reason=f"{type(error).__name__}: {error}") from error


def refuse_by_size(head: bytes, size: int, *, file: str) -> None:
    """Refuse a text file by its size and first bytes, before the rest is read."""
    if size > _MAX_TEXT_FILE_BYTES and looks_like_text(head) and not is_pdf(head):
        reason = f"it is a text of {in_mib(size)}, and one file may have {in_mib(MAX_TEXT_BYTES)} of text"
        raise TooLargeError(file=file, reason=reason)


def readable_names(formats: Sequence[Format] = FORMATS) -> str:
    """Return all formats for people: `PDF, Word (.docx), … and plain text`."""
    names = [known.name for known in formats]
    return f"{', '.join(names[:-1])} and {names[-1]}"
