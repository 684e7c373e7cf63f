"""The session's side of the knowledge worker: where a pack's arrays are mapped, searched and quoted from.

In a process of its own, because a mapped file that is cut short kills whoever reads it, and llama.cpp, which embeds
the question, aborts its process on some inputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from satchel.runtime.errors import WorkerDiedError
from satchel.runtime.knowledge.answers import (
    AnswerCheck,
    FileExplanation,
    FoundPassage,
    KnowledgeAnswer,
    KnowledgeSummary,
    PageText,
)
from satchel.runtime.knowledge.starting import start_knowledge_worker
from satchel.runtime.packfile.errors import PackChangedError, PackError
from satchel.runtime.packfile.verified import VerifiedFiles, VerifiedPack
from satchel.runtime.paths import Home
from satchel.runtime.worker.process import Worker


@dataclass(frozen=True, slots=True)
class KnowledgeRequest:
    """What the worker opens and how it searches."""

    pack: VerifiedPack
    home: Home
    gate: str | float
    rerank: bool = False
    threads: int = 0
    """For embedding the question and reading passages; 0: as many as there are cores."""


class KnowledgeClient:
    """One opened body of knowledge. Calls run on one thread at a time; `cancel` may be called from any."""

    def __init__(self, request: KnowledgeRequest, worker: Worker | None = None) -> None:
        """Take a worker that was started early, or start one at once: its imports run while the caller goes on."""
        self._request = request
        self._worker = worker if worker is not None else start_knowledge_worker()
        self._opened_in: int | None = None
        self._summary: KnowledgeSummary | None = None

    def open(self) -> KnowledgeSummary:
        """Open the knowledge in the worker, again after the worker was restarted, and say what is there.

        Raises:
            PackChangedError: the file was changed or cut short since it was verified.
            WorkerDiedError: the process ended for another reason.
        """
        pid = self._worker.pid
        if self._summary is None or pid is None or pid != self._opened_in:
            try:
                self._summary = self._open_pack()
            except PackChangedError as error:
                self._verify_again(error)
                self._summary = self._open_pack()
            self._opened_in = self._worker.pid
        return self._summary

    def ask(self, question: str, *, k: int, quote: bool, files: Sequence[str] | None = None) -> KnowledgeAnswer:
        """Search for a question and, with `quote`, look for the sentences that answer it.

        `files` are names to search in; None means all.

        Raises:
            UnknownKnowledgeFileError: a name is not among the files.
        """
        params = {"question": question, "k": k, "quote": quote, "files": None if files is None else list(files)}
        return msgspec.convert(self._call("ask", params), KnowledgeAnswer)

    def check(self, answer: str, passages: Sequence[FoundPassage]) -> AnswerCheck:
        """Lay each sentence of a language model's answer beside the passages that it was shown."""
        params = {"answer": answer, "passages": [(passage.file, passage.text) for passage in passages]}
        return msgspec.convert(self._call("check", params), AnswerCheck)

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

    def _open_pack(self) -> KnowledgeSummary:
        request = self._request
        home = {"data": str(request.home.data), "cache": str(request.home.cache)}
        params = {
            "pack": request.pack.as_params(),
            "home": home | {"settings": str(request.home.settings)},
            "gate": request.gate,
            "rerank": request.rerank,
            "threads": request.threads,
        }
        return msgspec.convert(self._told("open", params), KnowledgeSummary)

    def _verify_again(self, changed: PackChangedError) -> None:
        """Take a file that was mended, or written anew with the same content; any other stays an error."""
        path, pack_id = self._request.pack.path, self._request.pack.pack_id
        try:
            verified = VerifiedFiles(self._request.home.cache / "verified").verify_once(path)
        except PackError:
            raise changed from None
        if verified.pack_id != pack_id:
            raise changed
        self._request = replace(self._request, pack=verified)

    def _call(self, method: str, params: dict[str, Any]) -> Any:
        self.open()
        return self._told(method, params)

    def _told(self, method: str, params: dict[str, Any]) -> Any:
        try:
            return self._worker.call(method, params)
        except (WorkerDiedError, PackError):
            # A map of a file that was cut short ends its reader, and opening it anew fails in many ways; the person
            # should read what happened, not a signal's name.
            self._request.pack.refuse_changed()
            raise
