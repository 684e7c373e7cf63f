"""A hub on this machine, and small files that stand for models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.local_hub import LocalHub, local_hub
from helpers.tiny_gguf import TinyModel, gguf_bytes, tiny_metadata, tiny_tensors

from satchel.runtime.models.transfer import Endpoint
from satchel.runtime.paths import Home, find_home
from satchel.runtime.settings import Settings


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


@pytest.fixture
def person(tmp_path, monkeypatch) -> Path:
    """The person's own folder, where other programs keep models; nothing is there yet."""
    folder = tmp_path / "person"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    return folder


@pytest.fixture
def owner(person) -> Home:
    """That person's Satchel folders."""
    assert find_home().person == person
    return find_home()


@pytest.fixture
def settings(hub) -> Settings:
    """A person's word that models come from the hub on this machine."""
    return Settings(hub_endpoints=(hub.url,))
