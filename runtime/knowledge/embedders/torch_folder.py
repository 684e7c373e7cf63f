"""The bundled embedder as a sentence-transformers folder of float32 weights, for torch and OpenVINO."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from satchel.runtime.atomic import save_bytes, save_text, sync_folder
from satchel.runtime.errors import SaveError
from satchel.runtime.knowledge.embedders.bundled import TOKENIZER, BundledEmbedder
from satchel.runtime.knowledge.embedders.model_folder import WEIGHTS
from satchel.runtime.knowledge.embedders.safe_loading import CONFIG, MODULES, SENTENCE_CONFIG
from satchel.runtime.knowledge.embedders.safetensors_file import write_safetensors
from satchel.runtime.paths import Home

_MODULES = ("Transformer", "Pooling", "Normalize")
_PLACES = ("", "1_Pooling", "2_Normalize")


def torch_folder(bundled: BundledEmbedder, home: Home) -> Path:
    """Return the folder in the cache, written now if it is not there; it appears whole or not at all.

    Raises:
        SaveError: the cache cannot be written.
    """
    destination = home.cache / "embedders" / f"{bundled.card.weights_file_sha256[:32]}-torch"
    if destination.is_dir():
        return destination
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".torch.", dir=destination.parent, ignore_cleanup_errors=True) as place:
            made = Path(place) / "model"
            _write(bundled, made)
            # Another process may have been first with the same files.
            with contextlib.suppress(FileExistsError):
                made.rename(destination)
            sync_folder(destination.parent)
    except OSError as error:
        if destination.is_dir():
            return destination
        raise SaveError(path=destination, reason=(error.strerror or str(error)).lower()) from error
    return destination


def _write(bundled: BundledEmbedder, folder: Path) -> None:
    shape, fingerprint = bundled.card.shape, bundled.fingerprint
    documents: dict[str, Any] = {
        CONFIG: {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_act": "gelu",
            "hidden_size": shape.width,
            "intermediate_size": shape.feed_forward,
            "layer_norm_eps": shape.norm_epsilon,
            "max_position_embeddings": shape.positions,
            "num_attention_heads": shape.heads,
            "num_hidden_layers": shape.layers,
            "pad_token_id": 0,
            "type_vocab_size": shape.token_types,
            "vocab_size": shape.vocabulary,
        },
        MODULES: [
            {"idx": number, "name": str(number), "path": place, "type": f"sentence_transformers.models.{kind}"}
            for number, (kind, place) in enumerate(zip(_MODULES, _PLACES, strict=True))
        ],
        "1_Pooling/config.json": {
            "word_embedding_dimension": shape.width,
            "pooling_mode_cls_token": fingerprint.pooling == "cls",
            "pooling_mode_mean_tokens": fingerprint.pooling == "mean",
        },
        SENTENCE_CONFIG: {"max_seq_length": fingerprint.max_tokens, "do_lower_case": False},
        "tokenizer_config.json": {"tokenizer_class": "BertTokenizer", "model_max_length": shape.positions},
    }
    for name, document in documents.items():
        save_bytes(folder / name, msgspec.json.format(msgspec.json.encode(document), indent=2))
    save_text(folder / TOKENIZER, (bundled.folder / TOKENIZER).read_text(encoding="utf-8"))
    with (folder / WEIGHTS).open("wb") as file:
        write_safetensors(file, bundled.tensors(), {"format": "pt"})
