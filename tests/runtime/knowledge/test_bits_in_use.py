"""What the knowledge worker scans: bits from a number of passages on, mapped from the cache, and the same passages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.packs import write_knowing_pack

from satchel.runtime.knowledge.index import KnowledgeArrays
from satchel.runtime.knowledge.question import QuestionAnalyser
from satchel.runtime.knowledge.ranking import rank
from satchel.runtime.knowledge.service import KnowledgeService
from satchel.runtime.packfile.verified import VerifiedFiles, VerifiedPack
from satchel.runtime.paths import Home
from satchel.runtime.worker.service import Call

PARAGRAPHS = 300


@pytest.fixture
def pack(tmp_path: Path, home: Home) -> VerifiedPack:
    """A pack of many short passages with random vectors, by an embedder that is on nobody's machine."""
    text = "\n\n".join(f"Tide {number} comes in." for number in range(PARAGRAPHS))
    path = write_knowing_pack(tmp_path / "tides.pack", texts={"tides.md": text})
    return VerifiedFiles(home.cache / "verified").verify_once(path)


def opened(pack: VerifiedPack, home: Home, fewest_for_bits: int) -> KnowledgeArrays:
    service = KnowledgeService(fewest_for_bits=fewest_for_bits)
    folders = {"data": str(home.data), "cache": str(home.cache), "settings": str(home.settings)}
    params = {"pack": pack.as_params(), "home": folders, "gate": "auto", "rerank": False, "threads": 1}
    service.open(params, Call(0, lambda _item: None))
    assert service._arrays is not None
    return service._arrays


def test_many_passages_are_searched_by_bits_mapped_from_the_cache(pack: VerifiedPack, home: Home) -> None:
    arrays = opened(pack, home, PARAGRAPHS)

    assert arrays.vectors is not None
    bits = arrays.vectors.bits
    assert bits is not None
    assert [array.flags.owndata for array in (bits.bits, bits.factors, bits.centre)] == [False] * 3
    assert [path.name for path in (home.cache / "bits").glob("*.bits")] == [f"{pack.pack_id}.bits"]
    assert (arrays.vectors.high.flags.owndata, arrays.vectors.high.flags.writeable) == (False, False)


def test_fewer_passages_are_searched_by_the_high_plane(pack: VerifiedPack, home: Home) -> None:
    arrays = opened(pack, home, PARAGRAPHS + 1)

    assert arrays.vectors is not None
    assert arrays.vectors.bits is None
    assert not (home.cache / "bits").exists()


def test_both_find_the_same_passages_with_the_same_scores(pack: VerifiedPack, home: Home) -> None:
    with_bits, without = opened(pack, home, PARAGRAPHS), opened(pack, home, PARAGRAPHS + 1)
    analyser = QuestionAnalyser(without.keywords, ("en",))
    questions = analyser.analyse("tide")
    for seed in range(5):
        vector = np.random.default_rng(seed).standard_normal(8).astype(np.float32)
        found = [rank(arrays, analyser, questions, vector) for arrays in (with_bits, without)]
        np.testing.assert_array_equal(found[0].rows, found[1].rows)
        np.testing.assert_array_equal(found[0].score, found[1].score)
