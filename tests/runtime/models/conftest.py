"""A hub on this machine, and small files that stand for models."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from helpers.local_hub import LocalHub, local_hub
from helpers.tiny_gguf import TinyModel, gguf_bytes, tiny_metadata, tiny_tensors

from satchel.runtime.models.transfer import Endpoint


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with local_hub() as running:
        yield running


@pytest.fixture
def mirror() -> Iterator[LocalHub]:
    with local_hub() as running:
        yield running


@pytest.fixture
def endpoint(hub) -> Endpoint:
    return Endpoint(hub.url)


@pytest.fixture(scope="session")
def tiny_bytes() -> bytes:
    """A whole GGUF that llama.cpp runs."""
    model = TinyModel()
    return gguf_bytes(tiny_metadata(model), tiny_tensors(model))
