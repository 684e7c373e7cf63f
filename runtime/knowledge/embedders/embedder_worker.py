"""An embedder in a child process: the face of `Embedder`, llama.cpp or torch behind it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from satchel.runtime.knowledge.embedders.worker_methods import ModelRequest
from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.paths import Home
from satchel.runtime.progress import SILENT, Progress
from satchel.runtime.worker.process import Worker

_LLAMA = "satchel.runtime.knowledge.embedders.llama_service"
_TORCH = "satchel.runtime.knowledge.embedders.torch_service"
_TEXTS_A_CALL = 2048
"""What goes over the pipe at once; within it texts are sorted by length."""


class EmbedderWorker:
    """One model in one child. Calls run on one thread at a time; a dead child is started again by the next call."""

    def __init__(self, service: str, model: ModelRequest, *, name: str) -> None:
        """`service` is the module that the child serves, `model` which model it loads."""
        self._worker = Worker(service, name=name)
        self._model = msgspec.to_builtins(model)
        self._fingerprint: EmbedderFingerprint | None = None

    def start(self) -> None:
        """Start the process, so that its imports run while the caller goes on."""
        self._worker.start()

    @property
    def fingerprint(self) -> EmbedderFingerprint:
        """Which model; loads it when asked for the first time.

        Raises:
            EmbedderError: the model cannot be loaded.
            WorkerDiedError: the process ended.
        """
        if self._fingerprint is None:
            self._fingerprint = msgspec.convert(self._call("fingerprint"), EmbedderFingerprint)
        return self._fingerprint

    def embed_passages(self, texts: Sequence[str], *, progress: Progress = SILENT) -> NDArray[np.float32]:
        """Return unit vectors float32 [len(texts), dimension]; texts past `max_tokens` are cut."""
        dimension = self.fingerprint.dimension
        vectors = np.empty((len(texts), dimension), np.float32)
        done = 0
        for start in range(0, len(texts), _TEXTS_A_CALL):
            part = list(texts[start : start + _TEXTS_A_CALL])
            # Closed when `progress` cancels by raising, so that the child stops at once.
            with contextlib.closing(self._worker.stream("embed_passages", self._params(texts=part))) as batches:
                for places, batch in batches:
                    rows = np.frombuffer(batch, np.float32).reshape(-1, dimension)
                    vectors[[start + place for place in places]] = rows
                    done += len(places)
                    progress("embedding passages", done, len(texts))
        return vectors

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return one unit vector float32 [dimension]."""
        return np.frombuffer(self._call("embed_query", text=text), np.float32)

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens, special ones not counted."""
        return self.count_tokens_many([text])[0]

    def count_tokens_many(self, texts: Sequence[str]) -> list[int]:
        """Return `count_tokens` of each text."""
        counts: list[int] = self._call("count_tokens", texts=list(texts))
        return counts

    def close(self) -> None:
        """End the process."""
        self._worker.close()

    def _call(self, method: str, **params: Any) -> Any:
        return self._worker.call(method, self._params(**params))

    def _params(self, **params: Any) -> dict[str, Any]:
        return {"model": self._model, **params}


def llama_worker(home: Home, *, setting: str = "default", gguf: Path | None = None, threads: int = 0) -> EmbedderWorker:
    """Return the llama.cpp embedder of a project's setting, or of a GGUF file, in a child process."""
    return EmbedderWorker(_LLAMA, _request(home, setting, gguf, threads), name="embedder")


def torch_worker(home: Home, *, setting: str = "default", threads: int = 0) -> EmbedderWorker:
    """Return the sentence-transformers embedder of a project's setting in a child process."""
    return EmbedderWorker(_TORCH, _request(home, setting, None, threads), name="embedder (torch)")


def sentence_transformers_vectors(folder: Path, texts: Sequence[str]) -> NDArray[np.float32]:
    """Return the unit vectors of plain sentence-transformers in float32, computed in a child process of their own.

    Raises:
        MissingExtraError: sentence-transformers is not installed.
    """
    with Worker(_TORCH, name="embedder (torch)") as worker:
        answer = worker.call("reference", {"folder": str(folder), "texts": list(texts)})
    return np.frombuffer(answer, np.float32).reshape(len(texts), -1)


def _request(home: Home, setting: str, gguf: Path | None, threads: int) -> ModelRequest:
    return ModelRequest(
        gguf=str(gguf) if gguf is not None else "",
        setting=setting,
        data=str(home.data),
        cache=str(home.cache),
        threads=threads,
    )
