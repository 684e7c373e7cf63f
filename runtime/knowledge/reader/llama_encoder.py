"""A vector for each token, from llama.cpp: a BERT GGUF run without pooling, many sequences at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from satchel.runtime.engine.bindings import load_llama
from satchel.runtime.knowledge.reader.errors import ReaderModelError

BATCH_TOKENS = 1024
"""Tokens run at once. Attention spans the whole batch before it is masked, so a larger one is slower for each token."""
_SEQUENCES = 64
_UNPOOLED = 0


class LlamaTokenEncoder:
    """One loaded model. llama.cpp must run in a worker process: it aborts its process on some inputs."""

    def __init__(self, path: Path, *, threads: int) -> None:
        """Load the GGUF at `path`.

        Raises:
            ReaderModelError: llama.cpp cannot load it.
        """
        self._llama = load_llama()
        self._llama.llama_backend_init()
        settings = self._llama.llama_model_default_params()
        settings.n_gpu_layers = 0
        self._model = self._llama.llama_model_load_from_file(str(path).encode(), settings)
        if not self._model:
            raise ReaderModelError(path=path, reason="llama.cpp cannot load it")
        context = self._llama.llama_context_default_params()
        context.n_ctx = context.n_batch = context.n_ubatch = BATCH_TOKENS
        context.n_seq_max = _SEQUENCES
        context.n_threads = context.n_threads_batch = threads
        context.embeddings = True
        context.pooling_type = _UNPOOLED
        context.kv_unified = True
        context.no_perf = True
        self._context = self._llama.llama_init_from_model(self._model, context)
        if not self._context:
            self._llama.llama_model_free(self._model)
            raise ReaderModelError(path=path, reason="llama.cpp cannot make a context for it")
        self._batch = self._llama.llama_batch_init(BATCH_TOKENS, 0, 1)
        self._width = int(self._llama.llama_model_n_embd(self._model))

    def encode(self, sequences: Sequence[Sequence[int]]) -> list[NDArray[np.float32]]:
        """Return hidden states float32 [tokens, width] of each sequence; none may be longer than `BATCH_TOKENS`."""
        found: list[NDArray[np.float32] | None] = [None] * len(sequences)
        for group in groups(sequences):
            hidden = self._run([sequences[number] for number in group])
            at = 0
            for number in group:
                found[number] = hidden[at : at + len(sequences[number])]
                at += len(sequences[number])
        return [hidden for hidden in found if hidden is not None]

    def close(self) -> None:
        """Free batch, context and model; a second call does nothing."""
        if self._context:
            self._llama.llama_batch_free(self._batch)
            self._llama.llama_free(self._context)
            self._llama.llama_model_free(self._model)
            self._context = None

    def _run(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        count = sum(map(len, sequences))
        batch = self._batch
        tokens = np.concatenate([np.asarray(ids, np.int32) for ids in sequences])
        positions = np.concatenate([np.arange(len(ids), dtype=np.int32) for ids in sequences])
        np.ctypeslib.as_array(batch.token, (BATCH_TOKENS,))[:count] = tokens
        np.ctypeslib.as_array(batch.pos, (BATCH_TOKENS,))[:count] = positions
        np.ctypeslib.as_array(batch.n_seq_id, (BATCH_TOKENS,))[:count] = 1
        np.ctypeslib.as_array(batch.logits, (BATCH_TOKENS,))[:count] = 1
        at = 0
        for number, ids in enumerate(sequences):
            for place in range(at, at + len(ids)):
                batch.seq_id[place][0] = number
            at += len(ids)
        batch.n_tokens = count
        result = self._llama.llama_encode(self._context, batch)
        if result != 0:
            raise ReaderModelError(path="the Reader's model", reason=f"llama.cpp stopped with code {result}")
        pointer = self._llama.llama_get_embeddings(self._context)
        return np.ctypeslib.as_array(pointer, (count, self._width)).copy()


def groups(sequences: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return numbers of sequences to run together, longest first, none over the limits of one batch."""
    made: list[list[int]] = []
    tokens = 0
    for number in sorted(range(len(sequences)), key=lambda n: -len(sequences[n])):
        size = len(sequences[number])
        if not made or tokens + size > BATCH_TOKENS or len(made[-1]) == _SEQUENCES:
            made.append([])
            tokens = 0
        made[-1].append(number)
        tokens += size
    return made
