"""`satchel models convert-embedder`: a folder of sentence-transformers becomes what llama.cpp runs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from helpers.embedder_folders import SHAPE, write_embedder_folder

from satchel.runtime.cli.main import main
from satchel.runtime.commands import convert_embedder as module
from satchel.runtime.commands.convert_embedder import convert_embedder
from satchel.runtime.errors import SaveError
from satchel.runtime.knowledge.embedders.choose import query_embedder
from satchel.runtime.knowledge.embedders.errors import (
    ConversionDiffersError,
    EmbedderFolderError,
    ForeignCodeError,
    UnsupportedEmbedderError,
    WeightsError,
)
from satchel.runtime.knowledge.embedders.gguf_file import WeightType
from satchel.runtime.knowledge.embedders.llama_embedder import LlamaEmbedder
from satchel.runtime.knowledge.embedders.sentence_transformers_embedder import NEEDED_COSINE
from satchel.runtime.knowledge.embedders.unit_vectors import unit_rows

TEXTS = ("the tide rises twice a day", "water", "", "a moon and the harbour " * 20, "Zebra? é — 漢字")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_embedder_folder(tmp_path / "tide-embedder")


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the extra `embed` is not installed; importing torch takes several seconds."""
    monkeypatch.setattr(module, "has_sentence_transformers", lambda: False)


def test_the_round_trip_gives_the_vectors_of_sentence_transformers(capsys, folder):
    assert main(["models", "convert-embedder", str(folder), "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert done["lowest_cosine"] >= NEEDED_COSINE
    assert done["fingerprint"]["name"] == "tide-embedder"
    assert (done["fingerprint"]["dimension"], done["fingerprint"]["max_tokens"]) == (SHAPE.width, 48)
    assert Path(done["path"]).stat().st_size == done["bytes"]


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"pooling": {"pooling_mode_mean_tokens": False, "pooling_mode_cls_token": True}},
        {"sentence_bert_config": {"max_seq_length": 12}},
        {"config": {"layer_norm_eps": 1e-5}},
    ],
    ids=["mean", "first token", "short window", "another epsilon"],
)
def test_llama_cpp_computes_what_bert_defines(tmp_path, home, changes):
    folder = write_embedder_folder(tmp_path / "model", **changes)
    done = convert_embedder(folder, home, weight_type=WeightType.F32)
    embedder = LlamaEmbedder(done.path, threads=1)
    expected = unit_rows(bert(folder, embedder, TEXTS))
    assert np.einsum("nd,nd->n", embedder.embed_passages(TEXTS), expected).min() > 0.9999
    embedder.close()


def bert(folder: Path, embedder: LlamaEmbedder, texts: tuple[str, ...]) -> np.ndarray:
    """BERT as its paper has it (Devlin et al. 2019), in NumPy, with the exact GELU."""
    from satchel.runtime.knowledge.embedders.model_folder import EncoderWeights, read_embedder_folder

    model = read_embedder_folder(folder)
    weights = EncoderWeights(folder / "model.safetensors")
    gelu = np.vectorize(_gelu)

    def linear(x: np.ndarray, name: str) -> np.ndarray:
        return x @ weights(f"{name}.weight").T + weights(f"{name}.bias")

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + model.shape.norm_epsilon)
        return scaled * weights(f"{name}.weight") + weights(f"{name}.bias")

    pooled = []
    for text in texts:
        ids = embedder._tokenizer.encode(model.fingerprint.passage_prefix + text)
        assert len(ids) <= model.fingerprint.max_tokens
        x = weights("embeddings.word_embeddings.weight")[ids] + weights("embeddings.token_type_embeddings.weight")[0]
        x = norm(x + weights("embeddings.position_embeddings.weight")[: len(ids)], "embeddings.LayerNorm")
        for layer in range(model.shape.layers):
            at = f"encoder.layer.{layer}"
            heads = [
                linear(x, f"{at}.attention.self.{part}").reshape(len(ids), model.shape.heads, -1).transpose(1, 0, 2)
                for part in ("query", "key", "value")
            ]
            scores = heads[0] @ heads[1].transpose(0, 2, 1) / np.sqrt(heads[0].shape[-1])
            shares = np.exp(scores - scores.max(-1, keepdims=True))
            mixed = (shares / shares.sum(-1, keepdims=True) @ heads[2]).transpose(1, 0, 2).reshape(len(ids), -1)
            x = norm(x + linear(mixed, f"{at}.attention.output.dense"), f"{at}.attention.output.LayerNorm")
            wide = gelu(linear(x, f"{at}.intermediate.dense"))
            x = norm(x + linear(wide, f"{at}.output.dense"), f"{at}.output.LayerNorm")
        pooled.append(x[0] if model.fingerprint.pooling == "cls" else x.mean(0))
    return np.array(pooled, np.float32)


def _gelu(value: float) -> float:
    from math import erf, sqrt

    return value * (1 + erf(value / sqrt(2))) / 2


@pytest.mark.usefixtures("unchecked")
def test_it_lies_where_questions_look_for_it(folder, home):
    done = convert_embedder(folder, home)
    embedder = query_embedder(done.fingerprint, home)
    assert embedder.embed_query("the moon").shape == (SHAPE.width,)
    embedder.close()
    assert done.lowest_cosine is None


@pytest.mark.usefixtures("unchecked")
def test_name_and_prefixes_are_in_the_fingerprint_and_before_the_texts(folder, home):
    plain = convert_embedder(folder, home)
    done = convert_embedder(folder, home, name="other", query_prefix="moon ", passage_prefix="water ")
    assert done.path != plain.path
    assert (done.fingerprint.name, done.fingerprint.query_prefix) == ("other", "moon ")
    one, other = LlamaEmbedder(plain.path, threads=1), LlamaEmbedder(done.path, threads=1)
    assert np.array_equal(one.embed_query("moon tide"), other.embed_query("tide"))
    assert np.array_equal(one.embed_passages(["water tide"]), other.embed_passages(["tide"]))
    one.close()
    other.close()


@pytest.mark.usefixtures("unchecked")
def test_a_destination_is_taken(capsys, folder, home, tmp_path):
    target = tmp_path / "made" / "tide.gguf"
    assert main(["models", "convert-embedder", str(folder), "-o", str(target)]) == 0
    printed = capsys.readouterr()
    assert str(target) in printed.out
    assert "the vectors were not compared" in printed.err
    assert [path.name for path in target.parent.iterdir()] == ["tide.gguf"]
    assert not home.models.exists()


@pytest.mark.usefixtures("unchecked")
def test_the_same_folder_gives_the_same_bytes(folder, home, tmp_path):
    made = [convert_embedder(folder, home, destination=tmp_path / f"{number}.gguf").path for number in range(2)]
    assert made[0].read_bytes() == made[1].read_bytes()


def test_a_model_whose_vectors_differ_leaves_no_file(folder, home, monkeypatch):
    monkeypatch.setattr(
        module,
        "sentence_transformers_vectors",
        lambda _folder, texts: np.eye(len(texts), SHAPE.width, dtype=np.float32),
    )
    with pytest.raises(ConversionDiffersError, match="tide-embedder does not give the vectors of the original"):
        convert_embedder(folder, home)
    assert not [path for path in home.models.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"config": {"model_type": "mamba"}}, UnsupportedEmbedderError, "`model_type` in config.json is mamba"),
        ({"config": {"hidden_act": "relu"}}, UnsupportedEmbedderError, "`hidden_act` in config.json is relu"),
        ({"config": {"position_embedding_type": "alibi"}}, UnsupportedEmbedderError, "is alibi"),
        ({"config": {"is_decoder": True}}, UnsupportedEmbedderError, "`is_decoder`"),
        ({"config": {"num_attention_heads": 5}}, UnsupportedEmbedderError, "a divisor of hidden_size"),
        ({"config": {"num_hidden_layers": 0}}, UnsupportedEmbedderError, "a number above 0"),
        ({"config": {"num_hidden_layers": 3}}, EmbedderFolderError, "encoder.layer.2"),
        ({"config": {"vocab_size": 5}}, EmbedderFolderError, "has the shape"),
        ({"config": {"hidden_size": "many"}}, EmbedderFolderError, "config.json: Expected `int`"),
        ({"pooling": {"pooling_mode_max_tokens": True}}, UnsupportedEmbedderError, "`pooling_mode`"),
        ({"pooling": {"include_prompt": False}}, UnsupportedEmbedderError, "`include_prompt`"),
        ({"sentence_bert_config": {"do_lower_case": True}}, UnsupportedEmbedderError, "`do_lower_case`"),
        ({"modules": []}, UnsupportedEmbedderError, "modules.json"),
        ({"config": {"auto_map": {}}}, ForeignCodeError, "`auto_map`"),
    ],
)
def test_what_cannot_be_converted_is_named_with_its_file_and_key(tmp_path, home, changes, error, words):
    with pytest.raises(error) as caught:
        convert_embedder(write_embedder_folder(tmp_path / "model", **changes), home)
    assert words in caught.value.message
    assert not home.models.exists()


@pytest.mark.parametrize("name", ["config.json", "modules.json", "tokenizer.json", "model.safetensors"])
def test_a_file_that_is_missing_is_named(folder, home, name):
    (folder / name).unlink()
    with pytest.raises(EmbedderFolderError, match=f"{name} is missing"):
        convert_embedder(folder, home)


@pytest.mark.parametrize("content", [b"", b"version https://git-lfs.github.com/spec/v1\n", bytes(100), b"\xff" * 100])
def test_weights_that_are_none_are_named(folder, home, content):
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(WeightsError, match=r"model\.safetensors cannot be read as weights") as caught:
        convert_embedder(folder, home)
    assert "git lfs pull" in caught.value.advice


def test_weights_that_are_cut_short_are_named(folder, home):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="cut short or damaged"):
        convert_embedder(folder, home)


@pytest.mark.usefixtures("unchecked")
def test_a_place_that_cannot_be_written_is_named(folder, home, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SaveError, match=r"x\.gguf could not be saved"):
        convert_embedder(folder, home, destination=tmp_path / "file" / "x.gguf")


def test_no_folder_at_all_is_an_error_in_words(capsys, tmp_path):
    assert main(["models", "convert-embedder", str(tmp_path / "gone"), "--json"]) == 23
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "embedder-folder"
    assert "config.json is missing" in error["message"]
