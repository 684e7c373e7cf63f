"""What every embedder is: text in, unit vectors out, and a fingerprint that says which one it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from satchel.runtime.progress import SILENT, Progress


class EmbedderFingerprint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two embedders with the same fingerprint give the same vectors (to cosine >= 0.999)."""

    name: str
    weights_sha256: str
    """SHA-256 of the float32 `model.safetensors` that the weights came from, whatever type runs."""
    dimension: int
    pooling: str
    """`mean` or `cls`."""
    max_tokens: int
    """Longest text in tokens, the two special ones included; the rest is cut off."""
    query_prefix: str = ""
    passage_prefix: str = ""


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
