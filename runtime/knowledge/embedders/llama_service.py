"""The process that embeds with llama.cpp (`worker.service`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from satchel.runtime.knowledge.embedders.llama_embedder import LlamaEmbedder
from satchel.runtime.knowledge.embedders.resolve import resolve_embedder, runnable_gguf
from satchel.runtime.knowledge.embedders.worker_methods import ModelRequest, embedder_methods
from satchel.runtime.worker.service import Method


def methods() -> Mapping[str, Method]:
    """Return the table of methods."""
    return embedder_methods(_load)


def _load(request: ModelRequest) -> LlamaEmbedder:
    if request.gguf:
        return LlamaEmbedder(Path(request.gguf), threads=request.threads)
    resolved = resolve_embedder(request.setting, request.home)
    return LlamaEmbedder(runnable_gguf(resolved, request.home), threads=request.threads)
