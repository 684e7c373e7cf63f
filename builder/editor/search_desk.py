"""The knowledge of one project, kept open for the search box: a search costs no start of a process."""

from __future__ import annotations

import threading
from pathlib import Path

from satchel.runtime.commands.aside import Aside
from satchel.runtime.commands.search import SearchResult
from satchel.runtime.knowledge.client import KnowledgeClient, KnowledgeRequest
from satchel.runtime.packfile.store import PackStore
from satchel.runtime.packfile.verified import VerifiedPack
from satchel.runtime.paths import Home
from satchel.runtime.project.schema import Retrieval
from satchel.runtime.settings import load_settings


class SearchDesk:
    """May be called from any thread: one search at a time."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._client: KnowledgeClient | None = None
        self._opened: tuple[str, Retrieval] | None = None
        self._one_at_a_time = threading.Lock()

    def search(self, index: str, question: str, retrieval: Retrieval) -> SearchResult:
        """Search the pack at `index`, which holds a project's arrays; raises what `KnowledgeClient` does."""
        with self._one_at_a_time:
            client = self._open(index, retrieval)
            found = client.ask(question, k=retrieval.k, quote=False)
            why = client.explain(question, k=retrieval.k)
            return SearchResult(found.passages, found.below_gate, found.warnings, why)

    def close(self) -> None:
        """End the process."""
        with self._one_at_a_time:
            self._close()

    def _open(self, index: str, retrieval: Retrieval) -> KnowledgeClient:
        wanted = (index, retrieval)
        if self._client is None or self._opened != wanted:
            self._close()
            request = KnowledgeRequest(
                pack=self._verified(Path(index)),
                home=self._home,
                gate=retrieval.gate,
                rerank=retrieval.rerank,
                threads=load_settings(self._home.settings).threads,
            )
            self._client, self._opened = KnowledgeClient(request), wanted
        return self._client

    def _verified(self, path: Path) -> VerifiedPack:
        if (known := PackStore(self._home).verified_before(path)) is not None:
            return known
        with Aside(self._home) as aside:
            return aside.verify_once(str(path))

    def _close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
