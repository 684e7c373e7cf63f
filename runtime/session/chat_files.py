"""What a chat's tools leave beside the history: files that they made, and lines of the audit log."""

from __future__ import annotations

import shutil
from pathlib import Path


def artefact_folder(data: Path, chat_id: str) -> Path:
    """Return where a chat's artefacts lie; `data` is `Home.data`."""
    return data / "artefacts" / chat_id


def audit_folder(data: Path) -> Path:
    """Return where the audit log lies."""
    return data / "audit"


def forget_beside(data: Path, chat_id: str) -> None:
    """Delete a chat's artefacts, and blank what its calls told in the audit log; that they were made stays.

    Raises:
        AuditError: the log is not as it was written.
    """
    shutil.rmtree(artefact_folder(data, chat_id), ignore_errors=True)
    if audit_folder(data).is_dir():
        # Here, because most chats have no tools.
        from satchel.runtime.permissions.audit import AuditLog

        AuditLog(audit_folder(data)).forget(chat_id)
