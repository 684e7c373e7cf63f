"""The default embedder, all-MiniLM-L6-v2: tracked in 8 bits, run from a GGUF written into the cache at first use."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from satchel.runtime.atomic import replacing
from satchel.runtime.engine.bindings import load_llama
from satchel.runtime.knowledge.embedders.bert_gguf import BertShape, write_bert_gguf
from satchel.runtime.knowledge.embedders.block8 import read_block8
from satchel.runtime.knowledge.embedders.errors import WeightsError
from satchel.runtime.knowledge.embedders.gguf_file import WeightType
from satchel.runtime.knowledge.embedders.kept_file import kept_file, sha256_of
from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.paths import Home

CARD, WEIGHTS, TOKENIZER = "embedder.json", "weights.safetensors", "tokenizer.json"

_GGUF_VERSION = 1
"""Raised when the same weights are written differently, so that an older file in the cache is not used."""


class EmbedderCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`embedder.json`: what is in the folder."""

    fingerprint: EmbedderFingerprint
    shape: BertShape
    weights_file_sha256: str
    """Of the 8-bit file, which names the GGUF in the cache; the fingerprint has the original's."""


@dataclass(frozen=True, slots=True)
class BundledEmbedder:
    """The folder `packs/models/embedder`, or one like it."""

    folder: Path
    card: EmbedderCard

    @property
    def fingerprint(self) -> EmbedderFingerprint:
        """Which model."""
        return self.card.fingerprint

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Return the weights in float32 by Hugging Face's names.

        Raises:
            WeightsError: the file is damaged, or not there.
        """
        return read_block8(self.folder / WEIGHTS)

    def runnable_gguf(self, home: Home, weight_type: WeightType | None = None) -> Path:
        """Return the GGUF in the cache, written now if it is not there, or no longer as it was written.

        Several processes may do this at once: each writes a file of its own, and the same bytes end under the name.

        Raises:
            WeightsError: the tracked weights are damaged.
            SaveError: the cache cannot be written.
        """
        weight_type = weight_type or fastest_weight_type()
        name = f"{self.card.weights_file_sha256[:32]}-{weight_type.name.lower()}-v{_GGUF_VERSION}.gguf"
        return kept_file(home.cache / "embedders" / name, lambda path: self.write_gguf(path, weight_type))

    def write_gguf(self, path: Path, weight_type: WeightType) -> None:
        """Write the embedder's GGUF.

        Raises:
            WeightsError: the tracked files are damaged.
            SaveError: the folder cannot be written.
        """
        tensors = self.tensors()
        if sha256_of(self.folder / WEIGHTS) != self.card.weights_file_sha256:
            raise WeightsError(path=self.folder / WEIGHTS, reason=f"its bytes are not those that {CARD} promises")
        try:
            tokenizer_json = (self.folder / TOKENIZER).read_text(encoding="utf-8")
        except OSError as error:
            raise WeightsError(path=self.folder / TOKENIZER, reason=str(error)) from error
        with replacing(path) as file:
            write_bert_gguf(
                file,
                self.card.shape,
                tensors.__getitem__,
                name=self.card.fingerprint.name,
                weight_type=weight_type,
                pooling=self.card.fingerprint.pooling,
                tokenizer_json=tokenizer_json,
                fingerprint_json=msgspec.json.encode(self.card.fingerprint).decode(),
            )


def bundled_embedder(folder: Path | None = None) -> BundledEmbedder:
    """Return the embedder that comes with Satchel.

    Raises:
        WeightsError: its folder is not whole.
    """
    folder = folder or _installed_folder()
    path = folder / CARD
    try:
        card = msgspec.json.decode(path.read_bytes(), type=EmbedderCard)
    except (OSError, msgspec.DecodeError) as error:
        raise WeightsError(path=path, reason=str(error)) from error
    return BundledEmbedder(folder, card)


def fastest_weight_type() -> WeightType:
    """Return the type that llama.cpp multiplies fastest on this CPU.

    Measured on an AVX-512 CPU with bfloat16 arithmetic, one thread, milliseconds a passage of 146 tokens: BF16 22, F16
    29, F32 32, Q8_0 33. Without that arithmetic F16 reads half of F32's bytes on x86; other CPUs add up half precision
    in half precision, so F32 is kept for them.
    """
    features = load_llama().llama_print_system_info()
    if b"AVX512_BF16 = 1" in features:
        return WeightType.BF16
    return WeightType.F16 if b"F16C = 1" in features else WeightType.F32


def _installed_folder() -> Path:
    spec = importlib.util.find_spec("satchel.packs")
    places = list(spec.submodule_search_locations or []) if spec is not None else []
    for place in places:
        if (folder := Path(place) / "models" / "embedder").is_dir():
            return folder
    raise WeightsError(path="packs/models/embedder", reason="it is not part of this installation")
