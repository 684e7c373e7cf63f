"""The embedder that comes with Satchel, as it lies in the installation and in the cache."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
from helpers.embedder_folders import SHAPE, write_embedder_folder

from satchel.runtime.knowledge.embedders.bert_gguf import write_bert_gguf
from satchel.runtime.knowledge.embedders.bundled import (
    CARD,
    TOKENIZER,
    WEIGHTS,
    bundled_embedder,
    fastest_weight_type,
)
from satchel.runtime.knowledge.embedders.choose import query_embedder
from satchel.runtime.knowledge.embedders.errors import EmbedderLoadError, WeightsError
from satchel.runtime.knowledge.embedders.gguf_file import WeightType
from satchel.runtime.knowledge.embedders.llama_embedder import LlamaEmbedder
from satchel.runtime.knowledge.embedders.model_folder import EncoderWeights, read_embedder_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped files that a test may damage."""
    return Path(shutil.copytree(bundled_embedder().folder, tmp_path / "embedder"))


def test_the_gguf_is_written_into_the_cache_and_found_again(home):
    path = bundled_embedder().runnable_gguf(home)
    written = path.stat().st_mtime_ns
    assert path.is_relative_to(home.cache)
    assert bundled_embedder().runnable_gguf(home) == path
    assert path.stat().st_mtime_ns == written


@pytest.mark.parametrize("damage", ["cut short", "overwritten"])
def test_a_gguf_that_was_damaged_in_the_cache_is_written_anew(home, damage):
    path = bundled_embedder().runnable_gguf(home)
    whole = path.read_bytes()
    path.write_bytes(whole[:1000] if damage == "cut short" else whole[:-4096] + bytes(4096))

    embedder = query_embedder(bundled_embedder().fingerprint, home)

    assert path.read_bytes() == whole
    assert embedder.embed_query("Where is the lighthouse?").shape == (384,)
    embedder.close()


def test_a_gguf_that_was_damaged_unseen_is_written_anew_when_it_cannot_be_loaded(home):
    path = bundled_embedder().runnable_gguf(home)
    whole, stat = path.read_bytes(), path.stat()
    path.write_bytes(b"none" + whole[4:])
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    query_embedder(bundled_embedder().fingerprint, home).close()

    assert path.read_bytes() == whole


@pytest.mark.parametrize("name", [CARD, WEIGHTS, TOKENIZER])
def test_an_installation_without_one_of_its_files_is_named(home, folder, name):
    (folder / name).unlink()
    with pytest.raises(WeightsError, match=name):
        bundled_embedder(folder).runnable_gguf(home)


@pytest.mark.parametrize("damage", ["cut short", "one byte"])
def test_weights_that_are_not_those_of_the_card_are_named_and_not_used(home, folder, damage):
    path = folder / WEIGHTS
    whole = path.read_bytes()
    middle = len(whole) // 2
    changed = whole[:middle] if damage == "cut short" else whole[:middle] + b"x" + whole[middle + 1 :]
    assert changed != whole
    path.write_bytes(changed)
    with pytest.raises(WeightsError, match=WEIGHTS):
        bundled_embedder(folder).runnable_gguf(home)
    assert not list(home.cache.rglob("*.gguf"))


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"fingerprint": 1}'])
def test_a_card_that_cannot_be_read_is_named(folder, content):
    (folder / CARD).write_bytes(content)
    with pytest.raises(WeightsError, match=CARD):
        bundled_embedder(folder)


def test_its_fingerprint_is_that_of_the_published_weights():
    fingerprint = bundled_embedder().fingerprint
    assert fingerprint.name == "all-MiniLM-L6-v2"
    # Of model.safetensors on the hub under sentence-transformers/all-MiniLM-L6-v2.
    assert fingerprint.weights_sha256 == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    assert (fingerprint.dimension, fingerprint.pooling, fingerprint.max_tokens) == (384, "mean", 256)


def test_every_type_of_weights_gives_the_same_vectors(home):
    texts = ["Where is the lighthouse?", "The harbour floods at spring tide."]
    vectors = []
    for kind in WeightType:
        embedder = LlamaEmbedder(bundled_embedder().runnable_gguf(home, kind), threads=1)
        vectors.append(embedder.embed_passages(texts))
        embedder.close()
    for other in vectors[1:]:
        assert np.einsum("nd,nd->n", vectors[0], other).min() > 0.999
    assert fastest_weight_type() in WeightType


def test_a_gguf_that_satchel_did_not_make_is_refused(tmp_path):
    folder = read_embedder_folder(write_embedder_folder(tmp_path / "model"))
    path = tmp_path / "other.gguf"
    with path.open("wb") as file:
        weights = EncoderWeights(folder.path / "model.safetensors")
        write_bert_gguf(
            file, SHAPE, weights, name="other", weight_type=WeightType.F32, pooling="mean", tokenizer_json=""
        )
    with pytest.raises(EmbedderLoadError, match="Satchel did not make it"):
        LlamaEmbedder(path, threads=1)


def test_a_file_that_is_no_gguf_is_refused_with_the_engines_reason(tmp_path):
    (tmp_path / "no.gguf").write_bytes(b"hello" * 100)
    with pytest.raises(EmbedderLoadError, match=r"no\.gguf could not be loaded"):
        LlamaEmbedder(tmp_path / "no.gguf", threads=1)


def test_the_card_is_canonical(folder):
    card = bundled_embedder(folder).card
    assert (folder / CARD).read_bytes() == msgspec.json.format(msgspec.json.encode(card), indent=2) + b"\n"
