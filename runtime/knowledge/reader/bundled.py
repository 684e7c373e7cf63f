"""The Reader that comes with Satchel: trained tensors tracked in 8 bits, run from a GGUF written into the cache."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from satchel.runtime.atomic import replacing
from satchel.runtime.knowledge.embedders.bert_gguf import bert_tensor_names, write_bert_gguf
from satchel.runtime.knowledge.embedders.block8 import read_block8
from satchel.runtime.knowledge.embedders.bundled import (
    TOKENIZER,
    BundledEmbedder,
    bundled_embedder,
    fastest_weight_type,
)
from satchel.runtime.knowledge.embedders.cores import usable_threads
from satchel.runtime.knowledge.embedders.errors import WeightsError
from satchel.runtime.knowledge.embedders.gguf_file import WeightType
from satchel.runtime.knowledge.embedders.kept_file import doubt_file, kept_file
from satchel.runtime.knowledge.embedders.safetensors_file import SafetensorsFile
from satchel.runtime.knowledge.reader.calibration import Calibration
from satchel.runtime.knowledge.reader.errors import ReaderModelError
from satchel.runtime.knowledge.reader.llama_encoder import LlamaTokenEncoder
from satchel.runtime.knowledge.reader.reader import Head, Reader
from satchel.runtime.knowledge.reader.wordpiece import WordPiece
from satchel.runtime.paths import Home

WEIGHTS, CALIBRATION = "weights.safetensors", "calibration.json"
HEAD_OUTPUTS = ("start", "end", "answerable")
"""Each is a vector `head.NAME.weight` [width] and a number `head.NAME.bias` [1]."""
SHARED = (
    "embeddings.word_embeddings.weight",
    "embeddings.position_embeddings.weight",
    "embeddings.token_type_embeddings.weight",
)
"""Frozen in training, so taken from the bundled embedder."""
TENSORS_KEY = "satchel.tensors_sha256"
"""In the weights' header: of the tensors as stored, which names the GGUF in the cache without reading 11 MB."""

_GGUF_VERSION = 1
"""Raised when the same weights are written differently, so that an older file in the cache is not used."""


def load_reader(
    home: Home,
    *,
    threads: int = 0,
    folder: Path | None = None,
    embedder: BundledEmbedder | None = None,
    calibration: Calibration | None = None,
    weight_type: WeightType | None = None,
) -> Reader:
    """Load the Reader, in a worker process only; its GGUF is written into the cache at first use (0.3 s).

    Args:
        home: whose cache holds the GGUF.
        threads: 0: as many as there are cores.
        folder: where its weights and calibration lie; None: as installed.
        embedder: whose word embeddings it shares; None: the bundled one.
        calibration: None: the one in `folder`.
        weight_type: of the GGUF; None: what runs fastest here.

    Raises:
        ReaderModelError: its files are missing or damaged.
        SaveError: the cache cannot be written.
    """
    folder = folder or installed_folder()
    embedder = embedder or bundled_embedder()
    weights = _opened(folder / WEIGHTS)
    head = _head(weights, folder / WEIGHTS)
    calibration = calibration or _calibration(folder / CALIBRATION)
    path = runnable_gguf(home, folder, embedder, weight_type or fastest_weight_type())
    try:
        encoder = LlamaTokenEncoder(path, threads=usable_threads(threads))
    except ReaderModelError:
        doubt_file(path)
        path = runnable_gguf(home, folder, embedder, weight_type or fastest_weight_type())
        encoder = LlamaTokenEncoder(path, threads=usable_threads(threads))
    return Reader(encoder, WordPiece(_vocabulary(embedder)), head, calibration)


def runnable_gguf(home: Home, folder: Path, embedder: BundledEmbedder, weight_type: WeightType) -> Path:
    """Return the GGUF in the cache, written now if it is not there, or no longer as it was written."""
    digest = _opened(folder / WEIGHTS).metadata.get(TENSORS_KEY, "")
    both = hashlib.sha256(f"{digest} {embedder.card.weights_file_sha256}".encode()).hexdigest()
    path = home.cache / "readers" / f"{both[:32]}-{weight_type.name.lower()}-v{_GGUF_VERSION}.gguf"
    return kept_file(path, lambda path: _write_gguf(path, folder, embedder, weight_type))


def _write_gguf(path: Path, folder: Path, embedder: BundledEmbedder, weight_type: WeightType) -> None:
    tensors = _tensors(folder / WEIGHTS)
    missing = set(bert_tensor_names(embedder.card.shape)) - set(tensors) - set(SHARED)
    if missing:
        raise ReaderModelError(path=folder / WEIGHTS, reason=f"it has no tensor {min(missing)}")
    theirs = embedder.tensors()
    tensors |= {name: theirs[name] for name in SHARED}
    with replacing(path) as file:
        write_bert_gguf(
            file,
            embedder.card.shape,
            tensors.__getitem__,
            name="Satchel Reader",
            weight_type=weight_type,
            pooling="none",
            tokenizer_json="",
        )


def installed_folder() -> Path:
    """Return `packs/models/reader` of this installation.

    Raises:
        ReaderModelError: it is no part of it.
    """
    spec = importlib.util.find_spec("satchel.packs")
    for place in spec.submodule_search_locations or [] if spec is not None else []:
        if (folder := Path(place) / "models" / "reader").joinpath(WEIGHTS).is_file():
            return folder
    raise ReaderModelError(path="packs/models/reader", reason="it is no part of this installation")


def tensors_digest(tensors: Mapping[str, NDArray[np.float32]]) -> str:
    """Return what `TENSORS_KEY` holds for some tensors."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode() + np.ascontiguousarray(tensors[name], np.float32).tobytes())
    return digest.hexdigest()


def _opened(path: Path) -> SafetensorsFile:
    try:
        return SafetensorsFile(path)
    except WeightsError as error:
        raise ReaderModelError(path=path, reason=str(error.fields["reason"])) from error


def _tensors(path: Path) -> dict[str, NDArray[np.float32]]:
    try:
        return read_block8(path)
    except WeightsError as error:
        raise ReaderModelError(path=path, reason=str(error.fields["reason"])) from error


def _head(weights: SafetensorsFile, path: Path) -> Head:
    names = [f"head.{output}" for output in HEAD_OUTPUTS]
    for name in names:
        if not {f"{name}.weight", f"{name}.bias"} <= set(weights.names):
            raise ReaderModelError(path=path, reason=f"it has no tensor {name}")
    return Head(
        weight=np.stack([weights.floats(f"{name}.weight") for name in names]),
        bias=np.concatenate([weights.floats(f"{name}.bias") for name in names]),
    )


def _calibration(path: Path) -> Calibration:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Calibration)
    except (OSError, msgspec.DecodeError) as error:
        raise ReaderModelError(path=path, reason=str(error)) from error


class _TokenizerModel(msgspec.Struct):
    vocab: dict[str, int]


class _TokenizerFile(msgspec.Struct):
    model: _TokenizerModel


def _vocabulary(embedder: BundledEmbedder) -> dict[str, int]:
    path = embedder.folder / TOKENIZER
    try:
        return msgspec.json.decode(path.read_bytes(), type=_TokenizerFile).model.vocab
    except (OSError, msgspec.DecodeError) as error:
        raise ReaderModelError(path=path, reason=str(error)) from error
