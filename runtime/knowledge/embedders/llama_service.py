"""The process that embeds with llama.cpp (`worker.service`): one model at a time, loaded by the first call.

Every call names its model, so that a worker restarted after a crash needs no telling.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from satchel.runtime.knowledge.embedders.llama_embedder import LlamaEmbedder
from satchel.runtime.knowledge.embedders.resolve import resolve_embedder, runnable_gguf
from satchel.runtime.paths import Home
from satchel.runtime.worker.service import Call, Method


class ModelRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which model a call is for."""

    gguf: str
    """A file; empty: the one of `setting`, written into the home's folders if need be."""
    setting: str
    data: str
    cache: str
    threads: int

    def path(self) -> Path:
        """Return the GGUF."""
        if self.gguf:
            return Path(self.gguf)
        home = Home(data=Path(self.data), cache=Path(self.cache), settings=Path())
        return runnable_gguf(resolve_embedder(self.setting, home), home)


def methods() -> Mapping[str, Method]:
    """Return the table of methods."""
    service = _Service()
    return {
        "fingerprint": service.run(_fingerprint),
        "embed_passages": service.run(_embed_passages),
        "embed_query": service.run(_embed_query),
        "count_tokens": service.run(_count_tokens),
    }


class _Service:
    """The model that was asked for last."""

    def __init__(self) -> None:
        self._loaded: tuple[ModelRequest, LlamaEmbedder] | None = None

    def run(self, method: Callable[[LlamaEmbedder, dict[str, Any], Call], Any]) -> Method:
        """Return `method` with its model found."""
        return lambda params, call: method(self._embedder(params), params, call)

    def _embedder(self, params: dict[str, Any]) -> LlamaEmbedder:
        request = msgspec.convert(params["model"], ModelRequest)
        if self._loaded is None or self._loaded[0] != request:
            if self._loaded is not None:
                self._loaded[1].close()
                self._loaded = None
            self._loaded = request, LlamaEmbedder(request.path(), threads=request.threads)
        return self._loaded[1]


def _fingerprint(embedder: LlamaEmbedder, _params: dict[str, Any], _call: Call) -> Any:
    return msgspec.to_builtins(embedder.fingerprint)


def _embed_passages(embedder: LlamaEmbedder, params: dict[str, Any], call: Call) -> None:
    for places, vectors in embedder.passage_batches(params["texts"]):
        call.check()
        call.emit((places, vectors.tobytes()))


def _embed_query(embedder: LlamaEmbedder, params: dict[str, Any], _call: Call) -> bytes:
    return embedder.embed_query(params["text"]).tobytes()


def _count_tokens(embedder: LlamaEmbedder, params: dict[str, Any], _call: Call) -> list[int]:
    return embedder.count_tokens_many(params["texts"])
