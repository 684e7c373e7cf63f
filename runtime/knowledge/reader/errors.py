"""What can go wrong with the Reader's own files."""

from __future__ import annotations

from satchel.runtime.knowledge.errors import KnowledgeError


class ReaderModelError(KnowledgeError):
    """The Reader cannot run from {path}: {reason}."""

    exit_code = 29
    remedy = "Delete {path}; it is made anew at the next question. If it happens again, reinstall Satchel."
