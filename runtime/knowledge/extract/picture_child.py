"""The child process that draws pages (`worker.service`); it gets a file's bytes, never a path."""

from __future__ import annotations

from typing import Any

import msgspec

from satchel.runtime.errors import SatchelError
from satchel.runtime.knowledge.errors import DamagedDocumentError
from satchel.runtime.knowledge.extract.child import limit_cpu
from satchel.runtime.knowledge.extract.confinement import confine
from satchel.runtime.knowledge.extract.pdf.page_picture import draw_page, open_pages
from satchel.runtime.knowledge.extract.protocol import Source
from satchel.runtime.worker.service import Call, Method

_SECONDS_A_PAGE = 30


def methods() -> dict[str, Method]:
    """Return what this worker serves."""
    confine()
    table = _Table()
    return {"begin": table.begin, "chunk": table.chunk, "draw": table.draw}


class _Table:
    """One document lies open at a time."""

    def __init__(self) -> None:
        self._file = ""
        self._chunks: list[bytes] = []
        self._document: Any = None

    def begin(self, params: dict[str, Any], _call: Call) -> None:
        if self._document is not None:
            self._document.close()
        self._document, self._file, self._chunks = None, params["file"], []

    def chunk(self, params: dict[str, Any], _call: Call) -> None:
        self._chunks.append(params["content"])

    def draw(self, params: dict[str, Any], _call: Call) -> Any:
        limit_cpu(_SECONDS_A_PAGE)
        if self._document is None:
            content, self._chunks = b"".join(self._chunks), []
            self._document = open_pages(Source(self._file, content))
        page = params["page"]
        if not 1 <= page <= len(self._document):
            raise DamagedDocumentError(file=self._file, reason=f"it has {len(self._document)} pages, not {page}")
        try:
            options = {name: params[name] for name in ("width", "longest", "quote", "near")}
            drawn = draw_page(self._document, page, **options)
        except (SatchelError, MemoryError):
            raise
        except Exception as error:  # a damaged page: pdfium's binding raises what it finds
            raise DamagedDocumentError(file=self._file, reason=f"page {page} cannot be drawn ({error})") from error
        return msgspec.to_builtins(drawn, builtin_types=(bytes,))
