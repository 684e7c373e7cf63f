"""Words that a person reads pass through here, so that Qt's own tools find and translate them (`pyside6-lupdate`)."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication


def translate(context: str, text: str, /, **values: object) -> str:
    """Return a text in the person's language, with `{names}` filled in; `context` is the page that it stands on."""
    said = QCoreApplication.translate(context, text)
    return said.format(**values) if values else said


def counted(count: int, one: str, many: str) -> str:
    """Return `one` or `many`, both translated already, with `{n}` filled in: "1 file", "31 files"."""
    return (one if count == 1 else many).format(n=f"{count:,}")
