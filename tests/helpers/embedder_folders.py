"""Tiny sentence-transformers folders with random weights, which the library, llama.cpp and Satchel really run."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from satchel.runtime.knowledge.embedders.bert_gguf import BertShape, bert_tensor_names
from satchel.runtime.knowledge.embedders.model_folder import expected_shape
from satchel.runtime.knowledge.embedders.safetensors_file import write_safetensors

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_WORDS = ("the", "tide", "moon", "water", "rise", "##s", "and", "fall", "twice", "a", "day", "in", "harbour")
VOCABULARY = (
    *_SPECIAL,
    *(character for character in string.printable if not character.isspace() and not character.isupper()),
    *(f"##{letter}" for letter in string.ascii_lowercase if letter != "s"),
    *(word for word in _WORDS if len(word) > 1),
)
SHAPE = BertShape(
    width=32, feed_forward=64, layers=2, heads=4, vocabulary=len(VOCABULARY), positions=64, token_types=2,
    norm_epsilon=1e-12,
)  # fmt: skip


def write_embedder_folder(folder: Path, *, seed: int = 1, **changes: dict[str, Any] | list[Any] | str) -> Path:
    """Write a model; `changes` are files by their names without `.json`: a dict is laid over what is usual there."""
    documents = _documents()
    for name, change in changes.items():
        usual = documents.get(f"{name}.json")
        documents[f"{name}.json"] = (
            {**usual, **change} if isinstance(change, dict) and isinstance(usual, dict) else change
        )
    documents["1_Pooling/config.json"] = documents.pop("pooling.json")
    for name, document in documents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(document.encode() if isinstance(document, str) else msgspec.json.encode(document))
    random = np.random.default_rng(seed)
    tensors = {}
    for name in bert_tensor_names(SHAPE):
        values = random.normal(1.0 if name.endswith("LayerNorm.weight") else 0.0, 0.2, expected_shape(name, SHAPE))
        tensors[name] = values.astype(np.float32)
    with (folder / "model.safetensors").open("wb") as file:
        write_safetensors(file, tensors, {"format": "pt"})
    return folder


def _documents() -> dict[str, Any]:
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_act": "gelu",
            "hidden_size": SHAPE.width,
            "intermediate_size": SHAPE.feed_forward,
            "layer_norm_eps": SHAPE.norm_epsilon,
            "max_position_embeddings": SHAPE.positions,
            "num_attention_heads": SHAPE.heads,
            "num_hidden_layers": SHAPE.layers,
            "pad_token_id": 0,
            "type_vocab_size": SHAPE.token_types,
            "vocab_size": SHAPE.vocabulary,
        },
        "modules.json": [
            {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for number, (path, kind) in enumerate(
                (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize"))
            )
        ],
        "pooling.json": {"word_embedding_dimension": SHAPE.width, "pooling_mode_mean_tokens": True},
        "sentence_bert_config.json": {"max_seq_length": 48, "do_lower_case": False},
        "tokenizer_config.json": {"tokenizer_class": "BertTokenizer", "model_max_length": SHAPE.positions},
        "tokenizer.json": _tokenizer(),
    }


def _tokenizer() -> dict[str, Any]:
    numbers = {token: number for number, token in enumerate(VOCABULARY)}
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    cls, sep = ({"SpecialToken": {"id": token, "type_id": 0}} for token in ("[CLS]", "[SEP]"))
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": numbers[token], "content": token, "special": True, **flags} for token in _SPECIAL],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [cls, {"Sequence": {"id": "A", "type_id": 0}}, sep],
            "pair": [cls, {"Sequence": {"id": "A", "type_id": 0}}, sep, {"Sequence": {"id": "B", "type_id": 1}}, sep],
            "special_tokens": {
                token: {"id": token, "ids": [numbers[token]], "tokens": [token]} for token in ("[CLS]", "[SEP]")
            },
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": numbers,
        },
    }
