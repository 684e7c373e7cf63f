"""What can go wrong with the Reader's own files."""

from __future__ import annotations

from satchel.runtime.knowledge.errors import KnowledgeError


class ReaderModelError(KnowledgeError):
    """The Reader cannot run from {path}: {reason}."""

    exit_code = 29
    remedy = "Answers are looked up sentence by sentence meanwhile. To have it back, install Satchel again."
