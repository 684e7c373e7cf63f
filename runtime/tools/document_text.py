"""The text of bytes that came from somewhere: a web page, a PDF, a spreadsheet; read as knowledge files are.

In the document reader's child process, which gets bytes and no paths, drops what a page hides from people, and has
limits of time and memory.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from satchel.runtime.errors import SatchelError
from satchel.runtime.knowledge.extract.reader import DocumentReader
from satchel.runtime.tools.base import CallContext
from satchel.runtime.tools.errors import ToolError
from satchel.runtime.worker.launching import Launch

_SUFFIXES = {
    "text/html": ".html", "application/xhtml+xml": ".html", "text/plain": ".txt", "text/markdown": ".md",
    "text/csv": ".csv", "application/pdf": ".pdf", "application/json": ".json", "application/xml": ".xml",
    "text/xml": ".xml", "application/epub+zip": ".epub",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
}  # fmt: skip


def suffix_of(media_type: str, name: str = "") -> str:
    """Return the file name's ending for a media type such as "text/html; charset=utf-8"; else that of `name`."""
    kind = media_type.partition(";")[0].strip().lower()
    if kind.startswith("text/") and kind not in _SUFFIXES:
        return ".txt"
    return _SUFFIXES.get(kind) or Path(name).suffix


def read_text(content: bytes, suffix: str, what: str, context: CallContext, *, launch: Launch) -> str:
    """Return the text that is in `content`; `what` is what messages call it, `launch` how the reader starts.

    Raises:
        ToolError: it is of no format that can be read.
        CancelledError, OutOfTimeError: as the call's context says.
    """

    def look(stage: str, done: int, total: int | None) -> None:
        context.check()
        context.progress(stage, done, total)

    with (
        tempfile.NamedTemporaryFile(suffix=suffix) as file,
        DocumentReader(seconds_a_file=max(1.0, context.seconds_left), launch=launch) as reader,
    ):
        file.write(content)
        file.flush()
        try:
            return reader.read(Path(file.name), name=f"page{suffix}", progress=look).extracted.text
        except SatchelError as error:
            context.check()
            raise ToolError(reason=f"{what} cannot be read ({error.message})") from error
