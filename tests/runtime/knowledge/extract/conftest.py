"""The reader that a file's tests share: its child is started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from satchel.runtime.knowledge.extract.reader import DocumentReader


@pytest.fixture(scope="module")
def reader() -> Iterator[DocumentReader]:
    with DocumentReader(seconds_a_file=60) as running:
        yield running


pytest.register_assert_rewrite("helpers.extractor_conformance")
