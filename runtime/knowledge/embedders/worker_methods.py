"""What a process that embeds can be asked (`worker.service`): one model at a time.

Every call names its model, so that a worker restarted after a crash needs no telling.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from satchel.runtime.knowledge.embedder import Embedder
from satchel.runtime.knowledge.embedders.llama_encoder import Batch
from satchel.runtime.paths import Home
from satchel.runtime.worker.service import Call, Method


class LocalEmbedder(Embedder, Protocol):
    """An embedder of this very process, which gives its vectors as they come."""

    def passage_batches(self, texts: Sequence[str]) -> Iterator[Batch]:
        """Yield unit vectors, each batch with the places of its texts."""


class ModelRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which model a call is for."""

    gguf: str
    """A file; empty: the one of `setting`, written into the home's folders if need be."""
    setting: str
    data: str
    cache: str
    threads: int

    @property
    def home(self) -> Home:
        """The folders, as far as an embedder needs them."""
        return Home(data=Path(self.data), cache=Path(self.cache), settings=Path(self.data))


def embedder_methods(load: Callable[[ModelRequest], LocalEmbedder]) -> Mapping[str, Method]:
    """Return the table of methods over models that `load` makes."""
    service = _Service(load)
    return {
        "fingerprint": service.run(_fingerprint),
        "embed_passages": service.run(_embed_passages),
        "embed_query": service.run(_embed_query),
        "count_tokens": service.run(_count_tokens),
    }


class _Service:
    """The model that was asked for last."""

    def __init__(self, load: Callable[[ModelRequest], LocalEmbedder]) -> None:
        self._load = load
        self._loaded: tuple[ModelRequest, LocalEmbedder] | None = None

    def run(self, method: Callable[[LocalEmbedder, dict[str, Any], Call], Any]) -> Method:
        """Return `method` with its model found."""
        return lambda params, call: method(self._embedder(params), params, call)

    def _embedder(self, params: dict[str, Any]) -> LocalEmbedder:
        request = msgspec.convert(params["model"], ModelRequest)
        if self._loaded is None or self._loaded[0] != request:
            if self._loaded is not None:
                self._loaded[1].close()
                self._loaded = None
            self._loaded = request, self._load(request)
        return self._loaded[1]


def _fingerprint(embedder: LocalEmbedder, _params: dict[str, Any], _call: Call) -> Any:
    return msgspec.to_builtins(embedder.fingerprint)


def _embed_passages(embedder: LocalEmbedder, params: dict[str, Any], call: Call) -> None:
    for places, vectors in embedder.passage_batches(params["texts"]):
        call.check()
        call.emit((places, vectors.tobytes()))


def _embed_query(embedder: LocalEmbedder, params: dict[str, Any], _call: Call) -> bytes:
    return embedder.embed_query(params["text"]).tobytes()


def _count_tokens(embedder: LocalEmbedder, params: dict[str, Any], _call: Call) -> list[int]:
    return list(embedder.count_tokens_many(params["texts"]))
