"""A pack's vectors serve the project that it belongs to."""

from __future__ import annotations

import msgspec
import numpy as np

from satchel.runtime.knowledge.index import KnowledgeArrays
from satchel.runtime.knowledge.vector_sources import PackVectors, empty_rows
from satchel.runtime.packfile.opener import open_pack


def test_rows_are_those_of_the_pack_bit_for_bit_in_the_order_asked_for(harbour):
    with open_pack(harbour.pack, verify=True) as pack:
        arrays = KnowledgeArrays.from_pack(pack)
        texts = [arrays.passage_text(row) for row in range(len(arrays.passages))]
        assert len(texts) >= 5
        asked = ["nobody wrote this", texts[3], texts[0], "", texts[3]]

        places, rows = PackVectors(pack).find(asked, pack.manifest.embedder)

        assert places == [1, 2, 4]
        for plane in ("high", "low", "scale"):
            np.testing.assert_array_equal(getattr(rows, plane), getattr(arrays.vectors, plane)[[3, 0, 3]])


def test_another_embedder_finds_nothing(harbour):
    with open_pack(harbour.pack, verify=True) as pack:
        arrays = KnowledgeArrays.from_pack(pack)
        other = msgspec.structs.replace(pack.manifest.embedder, weights_sha256="0" * 64)

        places, rows = PackVectors(pack).find([arrays.passage_text(0)], other)

        assert places == []
        assert rows.high.shape == (0, 384)


def test_empty_rows_are_zero():
    rows = empty_rows(4, 2)

    assert (rows.high.dtype, rows.low.dtype, rows.scale.dtype) == (np.int8, np.int8, np.float32)
    assert not rows.high.any()
    assert rows.low.shape == (2, 4)
    assert rows.scale.shape == (2,)
