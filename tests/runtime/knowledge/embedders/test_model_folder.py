"""What is read of a sentence-transformers folder: window, pooling, prefixes."""

from __future__ import annotations

import pytest
from helpers.embedder_folders import SHAPE, write_embedder_folder

from satchel.runtime.knowledge.embedders.errors import EmbedderFolderError, UnsupportedEmbedderError
from satchel.runtime.knowledge.embedders.kept_file import sha256_of
from satchel.runtime.knowledge.embedders.model_folder import Prefixes, read_embedder_folder

PROMPTS = {"query": "query: ", "document": "passage: ", "classification": "class: "}


def fingerprint_of(folder, **more):
    return read_embedder_folder(folder, **more).fingerprint


def test_a_fingerprint_says_all_that_vectors_depend_on(tmp_path):
    folder = write_embedder_folder(tmp_path / "tide")
    found = fingerprint_of(folder)
    assert (found.name, found.dimension, found.pooling, found.max_tokens) == ("tide", SHAPE.width, "mean", 48)
    assert found.weights_sha256 == sha256_of(folder / "model.safetensors")
    assert fingerprint_of(write_embedder_folder(tmp_path / "other", seed=2)).weights_sha256 != found.weights_sha256


@pytest.mark.parametrize(
    ("changes", "tokens"),
    [
        ({"sentence_bert_config": {"max_seq_length": 12}}, 12),
        ({"sentence_bert_config": {"max_seq_length": 4096}}, SHAPE.positions),
        ({"sentence_bert_config": {"max_seq_length": None}, "tokenizer_config": {"model_max_length": 40}}, 40),
        ({"sentence_bert_config": {"max_seq_length": None}, "tokenizer_config": {"model_max_length": 1e30}}, 64),
    ],
)
def test_the_window_is_the_one_that_sentence_transformers_takes(tmp_path, changes, tokens):
    assert fingerprint_of(write_embedder_folder(tmp_path, **changes)).max_tokens == tokens


@pytest.mark.parametrize(
    "changes",
    [
        {"sentence_bert_config": {"max_seq_length": 0}},
        {"sentence_bert_config": {"max_seq_length": -5}},
        {"sentence_bert_config": {"max_seq_length": None}, "tokenizer_config": {"model_max_length": -1}},
        {"config": {"model_type": "roberta", "pad_token_id": 60}},
    ],
)
def test_a_window_without_room_for_a_text_is_refused(tmp_path, changes):
    with pytest.raises(UnsupportedEmbedderError, match="`max_seq_length`"):
        fingerprint_of(write_embedder_folder(tmp_path, **changes))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ("", "")),
        ({"prompts": PROMPTS}, ("query: ", "passage: ")),
        ({"prompts": {"passage": "p: "}}, ("", "p: ")),
        ({"prompts": PROMPTS, "default_prompt_name": "classification"}, ("query: ", "passage: ")),
        ({"prompts": {"all": "a: "}, "default_prompt_name": "all"}, ("a: ", "a: ")),
        ({"prompts": {"query": None}}, ("", "")),
    ],
)
def test_prefixes_are_the_folders_own_unless_others_are_given(tmp_path, settings, expected):
    folder = write_embedder_folder(tmp_path, config_sentence_transformers=settings)
    found = fingerprint_of(folder)
    assert (found.query_prefix, found.passage_prefix) == expected
    given = fingerprint_of(folder, prefixes=Prefixes("q ", "p "))
    assert (given.query_prefix, given.passage_prefix) == ("q ", "p ")


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        ({"pooling_mode_mean_tokens": True}, "mean"),
        ({"pooling_mode_mean_tokens": False, "pooling_mode_cls_token": True}, "cls"),
        ({"pooling_mode": "cls"}, "cls"),
        ({"pooling_mode": ["mean"]}, "mean"),
    ],
)
def test_pooling_is_read_in_its_old_and_its_new_spelling(tmp_path, pooling, expected):
    assert fingerprint_of(write_embedder_folder(tmp_path, pooling=pooling)).pooling == expected


@pytest.mark.parametrize("pooling", [{"pooling_mode_cls_token": True}, {"pooling_mode": "max"}, {"pooling_mode": []}])
def test_pooling_that_llama_cpp_does_not_do_is_named(tmp_path, pooling):
    with pytest.raises(UnsupportedEmbedderError, match="`pooling_mode`"):
        fingerprint_of(write_embedder_folder(tmp_path, pooling=pooling))


def test_rows_for_padding_are_no_room_for_text(tmp_path):
    folder = write_embedder_folder(
        tmp_path, config={"model_type": "xlm-roberta", "pad_token_id": 1}, sentence_bert_config={"max_seq_length": 64}
    )
    model = read_embedder_folder(folder)
    assert model.shape.first_position == 2
    assert model.fingerprint.max_tokens == 62


def test_modules_in_another_order_or_folder_are_refused(tmp_path):
    kinds = {kind: f"sentence_transformers.models.{kind}" for kind in ("Transformer", "Pooling", "Dense")}
    for modules in (
        [("1_Pooling", "Pooling"), ("", "Transformer")],
        [("0_Transformer", "Transformer"), ("1_Pooling", "Pooling")],
        [("", "Transformer")],
        [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Dense", "Dense")],
    ):
        named = [
            {"idx": n, "name": str(n), "path": path, "type": kinds[kind]} for n, (path, kind) in enumerate(modules)
        ]
        with pytest.raises(UnsupportedEmbedderError, match=r"modules\.json"):
            fingerprint_of(write_embedder_folder(tmp_path, modules=named))


def test_a_folder_that_is_none_is_named(tmp_path):
    with pytest.raises(EmbedderFolderError, match="gone is not a sentence-transformers model"):
        read_embedder_folder(tmp_path / "gone")
