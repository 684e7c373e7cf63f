"""Real texts and the bundled embedder, once for all tests of embedders."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from helpers.source_tree import ROOT

from satchel.runtime.knowledge.embedders.bundled import bundled_embedder
from satchel.runtime.knowledge.embedders.llama_embedder import LlamaEmbedder
from satchel.runtime.packfile import names
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.paths import Home


@pytest.fixture(scope="session")
def embedders_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home whose cache holds what these tests made of the bundled embedder."""
    root = tmp_path_factory.mktemp("embedders")
    return Home(root / "data", root / "cache", root / "settings")


@pytest.fixture(scope="session")
def llama(embedders_home: Home) -> Iterator[LlamaEmbedder]:
    """The bundled embedder as an index is made with it."""
    embedder = LlamaEmbedder(bundled_embedder().runnable_gguf(embedders_home))
    yield embedder
    embedder.close()


@pytest.fixture(scope="session")
def passages() -> list[str]:
    """All passages of the sample assistant, a textbook."""
    import numpy as np

    with open_pack(ROOT / "packs" / "astronomy-tutor.pack", verify=False) as pack:
        text = pack.read(names.TEXT)
        spans = np.frombuffer(pack.read(names.PASSAGES)[128:], "<u4").reshape(-1, 5)[:, 1:3].tolist()
    return [text[start:end].decode() for start, end in spans]
