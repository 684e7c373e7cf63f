"""Which embedder a project is built with, and which one embeds a question."""

from __future__ import annotations

from satchel.runtime.knowledge.embedder import Embedder
from satchel.runtime.knowledge.embedders.errors import EmbedderLoadError
from satchel.runtime.knowledge.embedders.kept_file import doubt_file
from satchel.runtime.knowledge.embedders.llama_embedder import LlamaEmbedder
from satchel.runtime.knowledge.embedders.multilingual import speaks
from satchel.runtime.knowledge.embedders.resolve import query_gguf, resolve_embedder
from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.paths import Home

__all__ = ["build_embedder", "build_fingerprint", "query_embedder", "speaks"]


def build_fingerprint(setting: str, home: Home) -> EmbedderFingerprint:
    """Return the fingerprint of a project's setting without loading a model; a folder's weights are hashed.

    Raises:
        EmbedderError: there is no such model, or it cannot be used.
    """
    return resolve_embedder(setting, home).fingerprint


def build_embedder(setting: str, home: Home, *, threads: int = 0) -> Embedder:
    """Return an embedder for many passages, in a child process.

    Raises:
        EmbedderError: there is no such model, or it cannot be used.
    """
    # Here, because the worker that embeds one question needs none of them, and their imports take longer than that.
    from satchel.runtime.knowledge.embedders.embedder_worker import llama_worker, torch_worker
    from satchel.runtime.knowledge.embedders.safe_loading import has_sentence_transformers
    from satchel.runtime.knowledge.embedders.staged_embedder import StagedEmbedder

    quick = llama_worker(home, setting=setting, threads=threads)
    if not has_sentence_transformers():
        return quick
    return StagedEmbedder(quick, torch_worker(home, setting=setting, threads=threads))


def query_embedder(fingerprint: EmbedderFingerprint, home: Home, *, threads: int = 1) -> LlamaEmbedder:
    """Return the embedder for questions against vectors of this fingerprint, in this process: a worker's.

    Its vectors are for comparing at once, not for keeping: see `llama_encoder`.

    Raises:
        WrongEmbedderError: this machine has no such model; keyword search goes on.
        EmbedderLoadError: it has, and llama.cpp cannot load it.
    """
    path = query_gguf(fingerprint, home)
    try:
        return LlamaEmbedder(path, threads=threads, together=True)
    except EmbedderLoadError:
        doubt_file(path)
        return LlamaEmbedder(query_gguf(fingerprint, home), threads=threads, together=True)
