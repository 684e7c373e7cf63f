"""Values of a PDF as pypdf parses them: behind references, and absent where they are null."""

from __future__ import annotations

from typing import Any


def resolved(value: Any) -> Any:
    """Return what a reference stands for; None for PDF's null, and for an object that is not in the file."""
    from pypdf.generic import NullObject

    found = value.get_object() if hasattr(value, "get_object") else value
    return None if isinstance(found, NullObject) else found


def array(value: Any) -> list[Any]:
    """Return the items of an array, references as they are; nothing where it is none."""
    found = resolved(value)
    return found if isinstance(found, list) else []
