"""A real child process with the methods of `helpers.worker_methods`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from helpers.python_processes import TESTS
from helpers.worker_processes import METHODS

from satchel.runtime.worker.process import Worker


@pytest.fixture(autouse=True)
def _children_find_the_helpers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))


@pytest.fixture
def worker() -> Iterator[Worker]:
    with Worker(METHODS, name="test") as worker:
        yield worker
