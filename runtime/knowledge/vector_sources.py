"""Where a passage's vector comes from before it is computed: the project's own packs, the cache of this machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from satchel.kernels.arrays import QuantisedRows
from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.knowledge.index import KnowledgeArrays
from satchel.runtime.packfile.pack import Pack


class VectorSource(Protocol):
    """Knows the vectors of some passages."""

    def find(self, texts: Sequence[str], fingerprint: EmbedderFingerprint) -> tuple[list[int], QuantisedRows]:
        """Return the places in `texts` that are known, rising, and their rows in that order."""


class PackVectors:
    """The planes of one pack, for the project that it was built from or unpacked into, and for no other.

    They are taken as they are: computing planes anew from dequantised floats would change half of the rows.
    """

    def __init__(self, pack: Pack) -> None:
        self._pack = pack

    def find(self, texts: Sequence[str], fingerprint: EmbedderFingerprint) -> tuple[list[int], QuantisedRows]:
        """Return what the pack knows; nothing when it was embedded by another model."""
        if self._pack.manifest.embedder != fingerprint:
            return [], empty_rows(fingerprint.dimension)
        arrays = KnowledgeArrays.from_pack(self._pack)
        assert arrays.vectors is not None  # its manifest names an embedder
        row_of = {arrays.passage_text(row): row for row in range(len(arrays.passages))}
        places = [place for place, text in enumerate(texts) if text in row_of]
        rows = [row_of[texts[place]] for place in places]
        vectors = arrays.vectors
        return places, QuantisedRows(vectors.high[rows], vectors.low[rows], vectors.scale[rows])


def empty_rows(dimension: int, count: int = 0) -> QuantisedRows:
    """Return zero rows: int8 planes [count, dimension] and float32 scales [count]."""
    planes = np.zeros((2, count, dimension), np.int8)
    return QuantisedRows(planes[0], planes[1], np.zeros(count, np.float32))
