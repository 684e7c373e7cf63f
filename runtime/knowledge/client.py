"""The session's side of the knowledge worker: where a pack's arrays are mapped, searched and quoted from.

In a process of its own, because a mapped file that is cut short kills whoever reads it, and llama.cpp, which embeds
the question, aborts its process on some inputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from satchel.runtime.knowledge.answers import FileExplanation, KnowledgeAnswer, KnowledgeSummary, PageText
from satchel.runtime.worker.process import Worker

_SERVICE = "satchel.runtime.knowledge.service"


class KnowledgeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the worker opens and how it searches."""

    path: str
    """A pack: a sealed one, or the index that a project keeps in the cache."""
    cache: str
    """The cache folder: where the embedder that runs is kept."""
    gate: str | float
    threads: int = 0


class KnowledgeClient:
    """One opened body of knowledge. Calls run on one thread at a time; `cancel` may be called from any."""

    def __init__(self, request: KnowledgeRequest) -> None:
        """Start the worker at once, so that its imports run while the caller goes on."""
        self._request = request
        self._worker = Worker(_SERVICE, name="knowledge")
        self._opened_in: int | None = None
        self._summary: KnowledgeSummary | None = None
        self._worker.start()

    @property
    def path(self) -> Path:
        """The pack."""
        return Path(self._request.path)

    def open(self) -> KnowledgeSummary:
        """Open the knowledge in the worker, again after the worker was restarted, and say what is there.

        Raises:
            PackError: the pack is damaged.
            WorkerDiedError: the process ended, for instance because the pack was cut short while it was mapped.
        """
        pid = self._worker.pid
        if self._summary is None or pid is None or pid != self._opened_in:
            answer = self._worker.call("open", msgspec.to_builtins(self._request))
            self._summary = msgspec.convert(answer, KnowledgeSummary)
            self._opened_in = self._worker.pid
        return self._summary

    def ask(self, question: str, *, k: int, quote: bool, files: Sequence[str] | None = None) -> KnowledgeAnswer:
        """Search for a question and, with `quote`, look for the sentences that answer it.

        `files` are names to search in; None means all.
        """
        params = {"question": question, "k": k, "quote": quote, "files": None if files is None else list(files)}
        return msgspec.convert(self._call("ask", params), KnowledgeAnswer)

    def explain(self, question: str, *, k: int) -> tuple[FileExplanation, ...]:
        """Tell for every file how its best passage scored, and why it was used or not."""
        return msgspec.convert(self._call("explain", {"question": question, "k": k}), tuple[FileExplanation, ...])

    def page(self, file: str, page: int | None) -> PageText:
        """Return the text of a page, or of the whole file where it has none, with its place in the file."""
        return msgspec.convert(self._call("page", {"file": file, "page": page}), PageText)

    def cancel(self) -> None:
        """Stop the running call."""
        self._worker.cancel()

    def close(self) -> None:
        """End the worker."""
        self._worker.close()

    def _call(self, method: str, params: dict[str, Any]) -> Any:
        self.open()
        return self._worker.call(method, params)
