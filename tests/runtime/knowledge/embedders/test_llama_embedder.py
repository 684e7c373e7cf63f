"""What llama.cpp gives for a text, and on what it does not depend."""

from __future__ import annotations

import numpy as np
import pytest

from satchel.kernels import ops
from satchel.kernels.arrays import QuantisedRows
from satchel.runtime.errors import CancelledError
from satchel.runtime.knowledge.embedders.bundled import bundled_embedder
from satchel.runtime.knowledge.embedders.llama_embedder import LlamaEmbedder
from satchel.runtime.knowledge.embedders.llama_encoder import batch_plan
from satchel.runtime.knowledge.embedders.vector_cache import VectorCache
from satchel.runtime.knowledge.ingest import find_vectors


@pytest.fixture(scope="module")
def texts(passages):
    """Texts of very different lengths: 24 passages, whole and cut."""
    chosen = passages[:: len(passages) // 24][:24]
    return [text if place % 3 else text[: 20 + place] for place, text in enumerate(chosen)]


@pytest.fixture(scope="module")
def vectors(llama, texts):
    return llama.embed_passages(texts)


def test_a_vector_does_not_depend_on_what_else_is_embedded(llama, texts, vectors):
    alone = np.vstack([llama.embed_passages([text]) for text in texts[::7]])
    assert alone.tobytes() == vectors[::7].tobytes()


def test_nor_on_the_order(llama, texts, vectors):
    order = np.random.default_rng(3).permutation(len(texts))
    assert llama.embed_passages([texts[place] for place in order]).tobytes() == vectors[order].tobytes()


@pytest.mark.parametrize("threads", [1, 2])
def test_nor_on_the_number_of_threads(embedders_home, texts, vectors, threads):
    embedder = LlamaEmbedder(bundled_embedder().runnable_gguf(embedders_home), threads=threads)
    assert embedder.embed_passages(texts).tobytes() == vectors.tobytes()
    embedder.close()


def test_an_index_that_was_interrupted_has_the_bits_of_one_made_in_one_go(llama, texts, vectors, home):
    def stop(_stage: str, done: int, _total: int | None) -> None:
        if done >= 8:
            raise CancelledError

    cache = VectorCache(home)
    # What another project left in the cache, and a run that was stopped.
    find_vectors(texts[15:20], llama, [cache], cache)
    with pytest.raises(CancelledError):
        find_vectors(texts[:12], llama, [cache], cache, progress=stop)
    find_vectors(texts[5:9], llama, [cache], cache)

    resumed = find_vectors(texts, llama, [cache], cache)

    assert _bytes(resumed) == _bytes(ops.quantise(vectors))


def _bytes(rows: QuantisedRows) -> list[bytes]:
    return [rows.high.tobytes(), rows.low.tobytes(), rows.scale.tobytes()]


def test_short_texts_that_share_a_batch_have_nearly_the_same_vectors(embedders_home, texts, vectors):
    embedder = LlamaEmbedder(bundled_embedder().runnable_gguf(embedders_home), threads=1, together=True)
    assert np.einsum("nd,nd->n", embedder.embed_passages(texts), vectors).min() > 0.9999
    embedder.close()


def test_vectors_are_unit_vectors_and_no_text_is_left_out(llama):
    vectors = llama.embed_passages(["", " ", "\x00", "a", "a" * 10_000, "word " * 1000, "🦀" * 300])
    assert vectors.shape == (7, 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert llama.embed_passages([]).shape == (0, 384)


def test_progress_counts_every_text_and_may_cancel(llama, texts):
    seen = []
    llama.embed_passages(texts[:6], progress=lambda _stage, done, total: seen.append((done, total)))
    assert seen == [(number, 6) for number in range(1, 7)]

    def cancel(_stage: str, _done: int, _total: int | None) -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        llama.embed_passages(texts, progress=cancel)
    assert llama.embed_passages(texts[:2]).shape == (2, 384)


def test_a_plan_fills_batches_and_keeps_to_their_limits():
    lengths = [5, 384, 100, 200, 84, 1, 1]
    groups = batch_plan(lengths, 384, 3)
    assert sorted(place for group in groups for place in group) == list(range(len(lengths)))
    assert all(sum(lengths[place] for place in group) <= 384 and len(group) <= 3 for group in groups)
    assert groups[0] == [1]
    assert batch_plan(lengths, 384, 1) == [[1], [3], [2], [4], [0], [5], [6]]
    assert batch_plan([], 384) == []
