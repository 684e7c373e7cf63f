"""A vector for each token, from llama.cpp: a BERT GGUF run without pooling.

As in `embedders/llama_encoder.py`, each thread has a context of its own over the shared model, because llama.cpp's own
threads wait for one another a hundred times a batch. It must run in a worker: llama.cpp may abort its process.
"""

from __future__ import annotations

import ctypes
import queue
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satchel.runtime.engine.bindings import LogTail, load_llama, reason_from
from satchel.runtime.knowledge.embedders.llama_encoder import batch_plan
from satchel.runtime.knowledge.reader.errors import ReaderModelError

BATCH_TOKENS = 384
"""Sequences are packed up to this: attention spans the whole batch before it is masked."""
_SEQUENCES = 64
_UNPOOLED = 0
_FLASH_ATTENTION = 1


class LlamaTokenEncoder:
    """One loaded model."""

    def __init__(self, path: Path, *, threads: int) -> None:
        """Map the GGUF at `path`.

        Raises:
            ReaderModelError: llama.cpp cannot load it.
        """
        self._llama = load_llama()
        self._path = path
        self._log = LogTail()
        self._llama.llama_backend_init()
        settings = self._llama.llama_model_default_params()
        # A list of no devices: a CUDA build would take half a second to wake its GPU for a handful of passages.
        self._no_devices = (ctypes.c_void_p * 1)()
        settings.devices = ctypes.cast(self._no_devices, ctypes.c_void_p)
        settings.n_gpu_layers = 0
        self._model = self._llama.llama_model_load_from_file(str(path).encode(), settings)
        if not self._model:
            reason = reason_from(self._log.lines())
            self._log.close()
            raise ReaderModelError(path=path, reason=reason)
        self._threads = threads
        self._contexts: list[_Context] = []

    def encode(self, sequences: Sequence[Sequence[int]]) -> list[NDArray[np.float32]]:
        """Return hidden states float32 [tokens, width] of each sequence; none may be longer than `BATCH_TOKENS`."""
        groups = batch_plan([len(ids) for ids in sequences], BATCH_TOKENS)
        threads = max(1, min(self._threads, len(groups)))
        while len(self._contexts) < threads:
            self._contexts.append(_Context(self._llama, self._model, self._path))
        free: queue.SimpleQueue[_Context] = queue.SimpleQueue()
        for context in self._contexts[:threads]:
            free.put(context)
        found: list[NDArray[np.float32] | None] = [None] * len(sequences)

        def run(group: list[int]) -> None:
            context = free.get()
            try:
                for place, hidden in zip(group, context.run([sequences[p] for p in group]), strict=True):
                    found[place] = hidden
            finally:
                free.put(context)

        if threads == 1:
            for group in groups:
                run(group)
        else:
            with ThreadPoolExecutor(threads, thread_name_prefix="reading") as pool:
                list(pool.map(run, groups))
        return [hidden for hidden in found if hidden is not None]

    def close(self) -> None:
        """Free contexts and model; a second call does nothing."""
        if self._model:
            for context in self._contexts:
                context.close()
            self._contexts.clear()
            self._llama.llama_model_free(self._model)
            self._model = None
            self._log.close()


class _Context:
    """A llama.cpp context of one thread, and its batch."""

    def __init__(self, llama: Any, model: Any, path: Path) -> None:
        self._llama, self._path = llama, path
        settings = llama.llama_context_default_params()
        settings.n_ctx = settings.n_batch = settings.n_ubatch = BATCH_TOKENS
        settings.n_seq_max = _SEQUENCES
        settings.n_threads = settings.n_threads_batch = 1
        settings.embeddings = True
        settings.pooling_type = _UNPOOLED
        settings.kv_unified = True
        settings.no_perf = True
        settings.offload_kqv = settings.op_offload = False
        settings.flash_attn_type = _FLASH_ATTENTION
        self._context = llama.llama_init_from_model(model, settings)
        if not self._context:
            raise ReaderModelError(path=path, reason="there is no memory for its context")
        self._batch = llama.llama_batch_init(BATCH_TOKENS, 0, 1)
        self._width = int(llama.llama_model_n_embd(model))

    def run(self, sequences: Sequence[Sequence[int]]) -> list[NDArray[np.float32]]:
        """Return the hidden states of one batch; ctypes holds no GIL while llama.cpp computes."""
        batch, end = self._batch, 0
        for number, ids in enumerate(sequences):
            for position, token in enumerate(ids):
                batch.token[end] = token
                batch.pos[end] = position
                batch.n_seq_id[end] = 1
                batch.seq_id[end][0] = number
                batch.logits[end] = 1
                end += 1
        batch.n_tokens = end
        code = self._llama.llama_encode(self._context, batch)
        if code != 0:
            raise ReaderModelError(path=self._path, reason=f"llama.cpp stopped with code {code}")
        pointer = self._llama.llama_get_embeddings(self._context)
        hidden = np.ctypeslib.as_array(pointer, (end, self._width)).copy()
        borders = np.cumsum([len(ids) for ids in sequences])[:-1]
        return np.split(hidden, borders)

    def close(self) -> None:
        self._llama.llama_batch_free(self._batch)
        self._llama.llama_free(self._context)
