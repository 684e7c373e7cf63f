"""The product's own embedder, whose vectors are kept in a git-ignored folder: each text is embedded once."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from satchel.runtime.knowledge.embedders.bundled import bundled_embedder
from satchel.runtime.knowledge.embedders.llama_embedder import LlamaEmbedder
from satchel.runtime.paths import Home

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "bench" / "retrieval"
_BATCH = 512


def open_embedder(cache: Path = CACHE) -> LlamaEmbedder:
    """Return the bundled embedder; its GGUF is written below `cache` at first use."""
    home = Home(data=cache / "data", cache=cache / "cache", settings=cache / "settings")
    return LlamaEmbedder(bundled_embedder().runnable_gguf(home), threads=2)


class EmbeddedOnce:
    """Vectors of passages and questions, by the hash of their text."""

    def __init__(self, embedder: LlamaEmbedder, cache: Path = CACHE) -> None:
        self.embedder = embedder
        self._path = cache / f"vectors-{embedder.fingerprint.weights_sha256[:12]}.npz"
        self._keys: dict[bytes, int] = {}
        self._vectors = np.empty((0, embedder.fingerprint.dimension), np.float32)
        if self._path.exists():
            with np.load(self._path) as stored:
                self._keys = {key.tobytes(): number for number, key in enumerate(stored["keys"])}
                self._vectors = stored["vectors"]

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors, [len(texts), d]."""
        keys = [hashlib.sha256(text.encode()).digest()[:16] for text in texts]
        missing = list({key: text for key, text in zip(keys, texts, strict=True) if key not in self._keys}.items())
        started = time.monotonic()
        for start in range(0, len(missing), _BATCH):
            batch = missing[start : start + _BATCH]
            fresh = self.embedder.embed_passages([text for _, text in batch])
            for number, (key, _) in enumerate(batch):
                self._keys[key] = len(self._vectors) + number
            self._vectors = np.concatenate([self._vectors, fresh])
            self._save()
        if missing:
            print(f"embedded {len(missing)} texts in {time.monotonic() - started:.0f} s", flush=True)
        return self._vectors[[self._keys[key] for key in keys]]

    def _save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._path.with_suffix(".part.npz")
        np.savez(unfinished, keys=np.array([np.frombuffer(key, np.uint8) for key in self._keys]), vectors=self._vectors)
        unfinished.replace(self._path)
