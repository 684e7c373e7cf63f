"""llama.cpp at once, and torch or OpenVINO from the moment when their start-up pays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from satchel.runtime.errors import SatchelError
from satchel.runtime.knowledge.embedders.embedder_worker import EmbedderWorker
from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.progress import SILENT, Progress

START_AFTER, SWITCH_AFTER = 512, 1536
"""Passages. Importing torch takes 8 s here, in which llama.cpp embeds the passages between the two numbers."""


class StagedEmbedder:
    """Two ways to the same vectors (to cosine >= 0.999), told apart by their speed and their start-up only."""

    def __init__(self, quick: EmbedderWorker, strong: EmbedderWorker) -> None:
        """`quick` runs from the start; `strong` is started when many passages come, and dropped if it fails."""
        self._quick, self._strong = quick, strong
        self._embedded = 0
        self._failed = False

    @property
    def fingerprint(self) -> EmbedderFingerprint:
        """Which model."""
        return self._quick.fingerprint

    def embed_passages(self, texts: Sequence[str], *, progress: Progress = SILENT) -> NDArray[np.float32]:
        """Return unit vectors float32 [len(texts), dimension]; texts past `max_tokens` are cut."""
        coming = self._embedded + len(texts)
        if coming > START_AFTER and not self._failed:
            self._strong.start()
        strong = coming > SWITCH_AFTER and not self._failed and self._is_sound()
        vectors = (self._strong if strong else self._quick).embed_passages(texts, progress=progress)
        self._embedded = coming
        return vectors

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return one unit vector float32 [dimension]."""
        return self._quick.embed_query(text)

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens, special ones not counted."""
        return self._quick.count_tokens(text)

    def count_tokens_many(self, texts: Sequence[str]) -> list[int]:
        """Return `count_tokens` of each text."""
        return self._quick.count_tokens_many(texts)

    def close(self) -> None:
        """End both processes."""
        self._quick.close()
        self._strong.close()

    def _is_sound(self) -> bool:
        """Load the strong one; without it the quick one goes on, as if the extra were not installed."""
        try:
            self._failed = self._strong.fingerprint != self._quick.fingerprint
        except SatchelError:
            self._failed = True
        if self._failed:
            self._strong.close()
        return not self._failed
