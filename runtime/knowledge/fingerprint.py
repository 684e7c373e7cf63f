"""Which embedder made a pack's vectors; apart from `embedder.py` because reading a manifest must not import NumPy."""

from __future__ import annotations

import msgspec


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
