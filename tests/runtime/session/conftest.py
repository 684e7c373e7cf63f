"""What the tests of sessions share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from satchel.runtime.session.history import History


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a history is kept; its folder is not there yet."""
    return tmp_path / "data" / "history.sqlite3"


@pytest.fixture
def history(path: Path) -> Iterator[History]:
    """Return an open, empty history."""
    with History(path) as history:
        yield history
