"""Real models: the Starter, and tiny ones with random weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.tiny_gguf import TinyModel, write_gguf

from satchel.runtime.engine.base import LoadSpec
from satchel.runtime.engine.llama import LlamaEngine
from satchel.runtime.engine.starter import find_starter
from satchel.runtime.paths import find_home


@pytest.fixture(scope="session")
def starter_path() -> Path:
    """SmolLM2-135M-Instruct, which the extra `starter` installs."""
    return find_starter(find_home())


@pytest.fixture(scope="module")
def starter(starter_path: Path) -> Iterator[LlamaEngine]:
    """The Starter, loaded in this process."""
    engine = LlamaEngine()
    engine.load(LoadSpec(path=str(starter_path), context=2048, threads=2))
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def tiny_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model of the commonest kind."""
    return write_gguf(tmp_path_factory.mktemp("models") / "tiny.gguf", TinyModel())


@pytest.fixture
def engine() -> Iterator[LlamaEngine]:
    """An engine in this process with nothing loaded."""
    engine = LlamaEngine()
    yield engine
    engine.close()
