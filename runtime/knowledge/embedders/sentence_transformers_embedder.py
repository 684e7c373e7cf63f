"""The same models in torch or OpenVINO, for many passages, where the extra `embed` or `openvino` is installed.

Measured here on one core, milliseconds a passage of 146 tokens: sentence-transformers' default (float32, batches of
32) 50, torch in bfloat16 with batches of 8 16, OpenVINO 12; llama.cpp 22. Importing torch takes 8 s, so that a question
never comes here.
"""

from __future__ import annotations

import concurrent.futures
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satchel.runtime.errors import MissingExtraError
from satchel.runtime.knowledge.embedders.bundled import BundledEmbedder
from satchel.runtime.knowledge.embedders.cores import usable_threads
from satchel.runtime.knowledge.embedders.llama_encoder import Batch
from satchel.runtime.knowledge.embedders.openvino_model import exported_model, has_openvino
from satchel.runtime.knowledge.embedders.probes import PROBE_TEXTS, lowest_cosine
from satchel.runtime.knowledge.embedders.resolve import Resolved
from satchel.runtime.knowledge.embedders.safe_loading import has_sentence_transformers, open_model
from satchel.runtime.knowledge.embedders.tokenizer import load_tokenizer
from satchel.runtime.knowledge.embedders.torch_folder import torch_folder
from satchel.runtime.knowledge.embedders.unit_vectors import unit_rows
from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.paths import Home
from satchel.runtime.progress import SILENT, Progress

NEEDED_COSINE = 0.999
"""Between any path's vectors and float32's; what falls short of it on the probe texts is not used."""
_CPU_BATCH, _GPU_BATCH = 8, 128
"""On a CPU small batches stay in its caches; on a GPU large ones fill it."""


def reference_vectors(folder: Path, texts: Sequence[str]) -> NDArray[np.float32]:
    """Return what plain sentence-transformers gives, float32 [len(texts), dimension], its own tokenizer included.

    Nothing is put before the texts, and the vectors are normalised whether or not the model does it.
    """
    model = open_model(folder)
    return unit_rows(model.encode(list(texts), prompt="", batch_size=_CPU_BATCH, show_progress_bar=False))


class SentenceTransformersEmbedder:
    """One model, in the fastest arithmetic of this machine that keeps to float32's vectors."""

    def __init__(self, resolved: Resolved, home: Home, *, threads: int = 0, backend: str = "") -> None:
        """`backend`: `openvino`, `torch` or, by default, the former where it is installed and there is no GPU.

        Raises:
            MissingExtraError: sentence-transformers is not installed, or too old.
            ForeignCodeError: the folder would have a say in what is run.
        """
        # Never a question to the hub: what is embedded here stays on this machine.
        os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
        if not has_sentence_transformers():
            raise MissingExtraError(feature="Embedding with torch", extra="embed")
        import torch

        self._torch = torch
        self._fingerprint = resolved.fingerprint
        folder = torch_folder(resolved, home) if isinstance(resolved, BundledEmbedder) else resolved.path
        self._tokenizer = load_tokenizer(
            (folder / "tokenizer.json").read_bytes(), max_tokens=self._fingerprint.max_tokens
        )
        self._device = _device(torch)
        self.backend = backend or ("openvino" if self._device == "cpu" and has_openvino() else "torch")
        self._threads = usable_threads(threads)
        self._model, self.arithmetic = self._load(folder, home)
        self._pad = int(self._model.tokenizer.pad_token_id)
        self._has_types = "token_type_ids" in self._model.tokenizer.model_input_names

    @property
    def fingerprint(self) -> EmbedderFingerprint:
        """Which model."""
        return self._fingerprint

    def embed_passages(self, texts: Sequence[str], *, progress: Progress = SILENT) -> NDArray[np.float32]:
        """Return unit vectors float32 [len(texts), dimension]; texts past `max_tokens` are cut."""
        vectors = np.empty((len(texts), self._fingerprint.dimension), np.float32)
        done = 0
        for places, batch in self.passage_batches(texts):
            vectors[places] = batch
            done += len(places)
            progress("embedding passages", done, len(texts))
        return vectors

    def passage_batches(self, texts: Sequence[str]) -> Iterator[Batch]:
        """Yield unit vectors as they come, longest texts first, each with the places of its texts."""
        sequences = [self._tokenizer.encode(self._fingerprint.passage_prefix + text) for text in texts]
        order = sorted(range(len(sequences)), key=lambda place: -len(sequences[place]))
        size = _CPU_BATCH if self._device == "cpu" else _GPU_BATCH
        batches = [order[start : start + size] for start in range(0, len(order), size)]
        # As in llama.cpp: threads that share one operation wait for each other hundreds of times a batch, and spin
        # while they do (2 threads on a busy machine: 92 ms of CPU a passage, this way 15). OpenVINO does not spin.
        with concurrent.futures.ThreadPoolExecutor(self._callers, initializer=self._begin_thread) as pool:
            try:
                encoded = pool.map(lambda places: self._encode([sequences[place] for place in places]), batches)
                yield from zip(batches, encoded, strict=True)
            finally:
                pool.shutdown(cancel_futures=True)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return one unit vector float32 [dimension]."""
        vector: NDArray[np.float32] = self._encode([self._tokenizer.encode(self._fingerprint.query_prefix + text)])[0]
        return vector

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens, special ones not counted."""
        return self._tokenizer.count(text)

    def count_tokens_many(self, texts: Sequence[str]) -> list[int]:
        """Return `count_tokens` of each text."""
        return [self._tokenizer.count(text) for text in texts]

    def close(self) -> None:
        """Free the model."""
        self._model = None

    @property
    def _callers(self) -> int:
        return self._threads if self._device == "cpu" and self.backend == "torch" else 1

    def _begin_thread(self) -> None:
        if self.backend == "torch":
            self._torch.set_num_threads(max(1, self._threads // self._callers))

    def _encode(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        torch = self._torch
        ids = np.full((len(sequences), max(map(len, sequences))), self._pad, np.int64)
        kept = np.zeros_like(ids)
        for row, sequence in enumerate(sequences):
            ids[row, : len(sequence)] = sequence
            kept[row, : len(sequence)] = 1
        features = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(kept)}
        if self._has_types:
            features["token_type_ids"] = torch.zeros_like(features["input_ids"])
        features = {name: tensor.to(self._device) for name, tensor in features.items()}
        with torch.inference_mode():
            pooled = self._model(features)["sentence_embedding"]
        return unit_rows(pooled.float().cpu().numpy())

    def _load(self, folder: Path, home: Home) -> tuple[Any, str]:
        """Return the model in fast arithmetic where its vectors hold against float32's, and that arithmetic's name."""
        exact = open_model(folder, device=self._device)
        expected = unit_rows(exact.encode(PROBE_TEXTS, prompt="", batch_size=_CPU_BATCH, show_progress_bar=False))
        for model, name in self._faster(exact, folder, home):
            model.eval()
            found = model.encode(
                PROBE_TEXTS, prompt="", batch_size=_CPU_BATCH, convert_to_tensor=True, show_progress_bar=False
            )
            if lowest_cosine(expected, unit_rows(found.float().cpu().numpy())) >= NEEDED_COSINE:
                return model, name
        self.backend = "torch"
        # Opened again: rounded once, the weights are not float32's any more.
        return open_model(folder, device=self._device), "float32"

    def _faster(self, exact: Any, folder: Path, home: Home) -> Iterator[tuple[Any, str]]:
        if self.backend == "openvino":
            yield exported_model(folder, home, self._fingerprint, threads=self._threads), "as OpenVINO chooses"
            return
        torch = self._torch
        if self._device == "cuda":
            yield exact.to(torch.float16), "float16"
        elif self._device == "cpu" and _has_bfloat16(torch):
            yield exact.to(torch.bfloat16), "bfloat16"


def _device(torch: Any) -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _has_bfloat16(torch: Any) -> bool:
    """Tell whether this CPU multiplies bfloat16 itself; where torch must imitate it, it is slower than float32."""
    probe = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(probe and probe())
