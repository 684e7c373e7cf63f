"""What every embedder is: text in, unit vectors out, and a fingerprint that says which one it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.progress import SILENT, Progress

__all__ = ["Embedder", "EmbedderFingerprint"]


class Embedder(Protocol):
    """Turns texts into unit vectors."""

    @property
    def fingerprint(self) -> EmbedderFingerprint:
        """Which model, so that vectors are never compared across models."""

    def embed_passages(self, texts: Sequence[str], *, progress: Progress = SILENT) -> NDArray[np.float32]:
        """Return unit vectors, float32 [len(texts), dimension]; texts past `max_tokens` are cut."""

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return one unit vector, float32 [dimension]."""

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of `text`, special ones not counted."""

    def count_tokens_many(self, texts: Sequence[str]) -> Sequence[int]:
        """Return `count_tokens` of each text, in one call: the splitter counts every sentence of a file at once."""

    def close(self) -> None:
        """Free the model; the embedder cannot be used afterwards."""
