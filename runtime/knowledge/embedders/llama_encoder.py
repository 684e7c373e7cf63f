"""A BERT-like GGUF in llama.cpp: token ids in, pooled vectors out. Runs in a worker: llama.cpp may abort its process.

Each thread has a context of its own over one shared model, and llama.cpp itself is given one thread. Its threads meet
at some hundred barriers a batch, where they spin: on a busy machine the one waited for is not running, and speed falls
thirtyfold (measured: 2 threads in one context, 72 passages/s alone, 2 with another process on the cores). Passages need
no such meetings.

A text runs alone unless `together` is asked for: in a batch, the last bits of its vector depend on where in it the text
stands (flash attention sums by tiles of the whole batch). Measured on one core, time alone to time together: 1.00 for
passages of 144 tokens, 1.07 of 79, 1.73 of 21. So what is kept is computed alone, and does not depend on what else was
asked for, in which order, or on how many threads: an index whose making was interrupted has the bits of one made in one
go. They do depend on the CPU's arithmetic, the type of the weights and llama.cpp's version.
"""

from __future__ import annotations

import ctypes
import queue
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satchel.runtime.engine.bindings import LogTail, load_llama, reason_from
from satchel.runtime.knowledge.embedders.errors import EmbedderFailedError, EmbedderLoadError

BATCH_TOKENS = 384
"""Texts are packed up to this; attention spans the whole batch before it is masked, so larger ones are slower."""
_BATCH_TEXTS = 64
_FLASH_ATTENTION = 1
_LONGEST_METADATA = 64 << 20

Batch = tuple[list[int], NDArray[np.float32]]
"""Places of texts, and their pooled vectors float32 [len(places), dimension]."""


class LlamaEncoder:
    """One loaded model."""

    def __init__(self, path: Path, *, threads: int, max_tokens: int | None = None, together: bool = False) -> None:
        """Map the GGUF; `max_tokens` is the longest sequence that will come (None: the model's window).

        `together`: several short texts share a batch, for vectors that are compared once and not kept.

        Raises:
            EmbedderLoadError: llama.cpp cannot load it.
        """
        self._llama = load_llama()
        self._path = path
        self._threads = threads
        self._texts_a_batch = _BATCH_TEXTS if together else 1
        self._log = LogTail()
        self._llama.llama_backend_init()
        settings = self._llama.llama_model_default_params()
        # A list of no devices: a CUDA build would take half a second to wake its GPU for one short question.
        self._no_devices = (ctypes.c_void_p * 1)()
        settings.devices = ctypes.cast(self._no_devices, ctypes.c_void_p)
        settings.n_gpu_layers = 0
        self._model = self._llama.llama_model_load_from_file(str(path).encode(), settings)
        if not self._model:
            reason = reason_from(self._log.lines())
            self._log.close()
            raise EmbedderLoadError(path=path, reason=reason)
        window = int(self._llama.llama_model_n_ctx_train(self._model))
        self.max_tokens = window if max_tokens is None else min(max_tokens, window)
        self.dimension = int(self._llama.llama_model_n_embd(self._model))
        self._contexts: list[_Context] = []

    def metadata(self, key: str) -> str | None:
        """Return a string of the GGUF's header, or None."""
        name = key.encode()
        size = self._llama.llama_model_meta_val_str(self._model, name, None, 0)
        if not 0 <= size <= _LONGEST_METADATA:
            return None
        buffer = ctypes.create_string_buffer(size + 1)
        self._llama.llama_model_meta_val_str(self._model, name, buffer, size + 1)
        return buffer.value.decode()

    def encode(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Return the pooled vectors, not normalised, float32 [len(sequences), dimension]."""
        vectors = np.empty((len(sequences), self.dimension), np.float32)
        for places, batch in self.batches(sequences):
            vectors[places] = batch
        return vectors

    def batches(self, sequences: Sequence[Sequence[int]]) -> Iterator[Batch]:
        """Yield vectors as they come, longest texts first; closing the iterator stops after the batches that run."""
        groups = batch_plan([len(ids) for ids in sequences], self._batch_tokens, self._texts_a_batch)
        threads = min(self._threads, len(groups))
        while len(self._contexts) < threads:
            context = _Context(
                self._llama, self._model, self.dimension, tokens=self._batch_tokens, texts=self._texts_a_batch
            )
            self._contexts.append(context)
        if threads <= 1:
            for group in groups:
                yield group, self._contexts[0].run([sequences[place] for place in group], self._path)
            return
        yield from _on_threads(self._contexts[:threads], groups, sequences, self._path)

    def close(self) -> None:
        """Free contexts and model; a second call does nothing."""
        if self._model:
            for context in self._contexts:
                context.close()
            self._contexts.clear()
            self._llama.llama_model_free(self._model)
            self._model = None
            self._log.close()

    @property
    def _batch_tokens(self) -> int:
        return max(BATCH_TOKENS, self.max_tokens) if self._texts_a_batch > 1 else self.max_tokens


def batch_plan(lengths: Sequence[int], batch_tokens: int, texts_a_batch: int = _BATCH_TEXTS) -> list[list[int]]:
    """Return which sequences run together: longest first, none beyond `batch_tokens` or the number of sequences."""
    groups: list[list[int]] = []
    tokens = 0
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        if not groups or tokens + lengths[place] > batch_tokens or len(groups[-1]) == texts_a_batch:
            groups.append([])
            tokens = 0
        groups[-1].append(place)
        tokens += lengths[place]
    return groups


class _Context:
    """A llama.cpp context of one thread, and the arrays of its batch."""

    def __init__(self, llama: Any, model: Any, dimension: int, *, tokens: int, texts: int) -> None:
        self._llama, self._dimension = llama, dimension
        settings = llama.llama_context_default_params()
        settings.n_ctx = settings.n_batch = settings.n_ubatch = tokens
        # Never more than tokens: llama.cpp would end the process.
        settings.n_seq_max = texts
        settings.n_threads = settings.n_threads_batch = 1
        settings.embeddings = True
        settings.kv_unified = True
        settings.no_perf = True
        settings.offload_kqv = settings.op_offload = False
        # 1.7 to 2.4 times faster than plain attention here, and the same vectors.
        settings.flash_attn_type = _FLASH_ATTENTION
        self._context = llama.llama_init_from_model(model, settings)
        if not self._context:
            raise EmbedderFailedError(name="in llama.cpp", reason="there is no memory for its context")
        self._tokens = (ctypes.c_int32 * tokens)()
        self._positions = (ctypes.c_int32 * tokens)()
        self._sequence_of = (ctypes.c_void_p * tokens)()
        self._numbers = (ctypes.c_int32 * texts)(*range(texts))
        self._ones = (ctypes.c_int32 * tokens)(*([1] * tokens))
        self._outputs = (ctypes.c_int8 * tokens)(*([1] * tokens))
        self._batch = llama.llama_batch(
            0,
            ctypes.cast(self._tokens, ctypes.POINTER(ctypes.c_int32)),
            None,
            ctypes.cast(self._positions, ctypes.POINTER(ctypes.c_int32)),
            ctypes.cast(self._ones, ctypes.POINTER(ctypes.c_int32)),
            ctypes.cast(self._sequence_of, ctypes.POINTER(ctypes.POINTER(ctypes.c_int32))),
            ctypes.cast(self._outputs, ctypes.POINTER(ctypes.c_int8)),
        )

    def run(self, sequences: Sequence[Sequence[int]], path: Path) -> NDArray[np.float32]:
        """Return the pooled vectors of one batch; ctypes holds no GIL while llama.cpp computes."""
        end = 0
        numbers = ctypes.addressof(self._numbers)
        for number, ids in enumerate(sequences):
            start, end = end, end + len(ids)
            self._tokens[start:end] = list(ids)
            self._positions[start:end] = list(range(len(ids)))
            self._sequence_of[start:end] = [numbers + number * ctypes.sizeof(ctypes.c_int32)] * len(ids)
        self._batch.n_tokens = end
        code = self._llama.llama_encode(self._context, self._batch)
        if code != 0:
            raise EmbedderFailedError(name=path.name, reason=f"llama.cpp stopped with code {code}")
        vectors = np.empty((len(sequences), self._dimension), np.float32)
        for number in range(len(sequences)):
            pointer = self._llama.llama_get_embeddings_seq(self._context, number)
            vectors[number] = np.ctypeslib.as_array(pointer, (self._dimension,))
        return vectors

    def close(self) -> None:
        self._llama.llama_free(self._context)


def _on_threads(
    contexts: Sequence[_Context], groups: Sequence[list[int]], sequences: Sequence[Sequence[int]], path: Path
) -> Iterator[Batch]:
    """Run batches on one thread a context; whichever is free takes the next."""
    waiting: queue.SimpleQueue[list[int]] = queue.SimpleQueue()
    for group in groups:
        waiting.put(group)
    done: queue.SimpleQueue[Batch | BaseException] = queue.SimpleQueue()
    stopped = threading.Event()

    def work(context: _Context) -> None:
        try:
            while not stopped.is_set():
                group = waiting.get_nowait()
                done.put((group, context.run([sequences[place] for place in group], path)))
        except queue.Empty:
            return
        except BaseException as error:  # noqa: BLE001 - raised again where the batches are awaited
            done.put(error)

    threads = [threading.Thread(target=work, args=(context,), name="embedding", daemon=True) for context in contexts]
    for thread in threads:
        thread.start()
    try:
        for _ in groups:
            result = done.get()
            if isinstance(result, BaseException):
                raise result
            yield result
    finally:
        stopped.set()
        for thread in threads:
            thread.join()
