"""`satchel search`: the passages that a question finds, and why a file was used or not."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from satchel.runtime.commands.opening import is_folder, open_assistant
from satchel.runtime.errors import CheckFailedError, UsageError
from satchel.runtime.knowledge.answers import FileExplanation, FoundPassage, KnowledgeWarning
from satchel.runtime.knowledge.client import KnowledgeClient, KnowledgeRequest
from satchel.runtime.packfile.errors import UnknownKnowledgeFileError
from satchel.runtime.paths import Home
from satchel.runtime.progress import SILENT, Progress
from satchel.runtime.project.errors import UnknownProjectFileError
from satchel.runtime.settings import load_settings


class SearchResult(msgspec.Struct, frozen=True):
    """What was found; `files` is empty unless it was asked why."""

    passages: tuple[FoundPassage, ...]
    below_gate: int
    warnings: tuple[KnowledgeWarning, ...]
    files: tuple[FileExplanation, ...] = ()


def search(
    reference: str,
    question: str,
    home: Home,
    *,
    k: int | None = None,
    gated: bool = True,
    why: bool = False,
    files: Sequence[str] | None = None,
    progress: Progress = SILENT,
) -> SearchResult:
    """Search an assistant's knowledge; `k` and the gate are its own unless told otherwise.

    Raises:
        UsageError: the question is empty, or `k` is below 1.
        CheckFailedError: it knows no files.
        UnknownKnowledgeFileError, UnknownProjectFileError: `files` names one that it does not know.
    """
    if not question.strip():
        raise UsageError(reason="the question is empty")
    if k is not None and k < 1:
        raise UsageError(reason=f"-k takes a number of at least 1, not {k}")
    assistant = open_assistant(reference, home, progress=progress)
    if assistant.knowledge is None:
        raise CheckFailedError(reason=f"{assistant.name} has no knowledge files to search")
    request = KnowledgeRequest(
        pack=assistant.knowledge,
        home=home,
        gate=assistant.retrieval.gate if gated else "off",
        rerank=assistant.retrieval.rerank,
        threads=load_settings(home.settings).threads,
    )
    client = KnowledgeClient(request)
    try:
        wanted = k if k is not None else assistant.retrieval.k
        found = client.ask(question, k=wanted, quote=False, files=files)
        explained = client.explain(question, k=wanted) if why else ()
    except UnknownKnowledgeFileError as error:
        if not is_folder(reference):
            raise
        # Not the path of its index, which lies somewhere in the cache.
        raise UnknownProjectFileError(
            folder=reference, file=error.fields["file"], known=error.fields["known"]
        ) from error
    finally:
        client.close()
    return SearchResult(found.passages, found.below_gate, found.warnings, explained)
