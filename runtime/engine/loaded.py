"""A model and its context in llama.cpp, loaded as a plan says, and freed."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from satchel.runtime.engine.bindings import LogTail
from satchel.runtime.engine.decoding import AbortFlag
from satchel.runtime.engine.errors import AdapterError, ModelLoadError, UnsupportedModelError
from satchel.runtime.engine.gguf_header import GgufHeader, read_header
from satchel.runtime.engine.plan import OffloadPlan
from satchel.runtime.errors import CancelledError, SatchelError

_FLASH_AUTO, _FLASH_OFF, _FLASH_ON = -1, 0, 1
_KV_TYPES = {"f16": 1, "q8_0": 8}
_NO_VOCABULARY = 0
_PROGRESS_STEPS = 100


class OutOfMemoryError(Exception):
    """The model or its context could not be allocated; less of it may work."""


class LoadedModel:
    """llama.cpp's model, context and adapter."""

    def __init__(
        self,
        llama: Any,
        header: GgufHeader,
        plan: OffloadPlan,
        *,
        threads: int,
        abort: AbortFlag,
        log: LogTail,
        report: Callable[[int, int], None],
        meanwhile: Callable[[], None],
    ) -> None:
        """Load it; `report(done, total)` is called as it goes, `meanwhile` once, beside it.

        Raises:
            OutOfMemoryError: an allocation failed.
            ModelLoadError, UnsupportedModelError: llama.cpp refuses the file, or it is no text generator.
            CancelledError: the abort flag was raised, or `report` raised it.
        """
        self._llama = llama
        self._abort = abort  # the context keeps its address
        self._adapter: Any = None
        self.context: Any = None
        self.model = _load_model(llama, header, plan, abort=abort, log=log, report=report, meanwhile=meanwhile)
        try:
            self._check_kind(header.path)
            self.context = self._make_context(header.path, plan, threads, log)
        except BaseException:
            self.close()
            raise

    def put_on(self, adapter: Path, scale: float, header: GgufHeader, log: LogTail) -> None:
        """Put a LoRA adapter on the model.

        Raises:
            AdapterError: it is no adapter, or one for another model.
        """
        try:
            described = read_header(adapter)
        except SatchelError as error:
            raise AdapterError(path=adapter, reason=error.message.removesuffix(".")) from error
        if described.text("general.type") != "adapter" or described.text("adapter.type") != "lora":
            raise AdapterError(path=adapter, reason="it is no LoRA adapter")
        if described.architecture != header.architecture:
            reason = f"it is for {described.architecture or 'nothing named'}, the model is {header.architecture}"
            raise AdapterError(path=adapter, reason=reason)
        log.clear()
        self._adapter = self._llama.llama_adapter_lora_init(self.model, str(adapter).encode())
        if not self._adapter:
            raise AdapterError(path=adapter, reason=log.reason())
        handles = (self._llama.llama_adapter_lora_p_ctypes * 1)(self._adapter)
        if self._llama.llama_set_adapters_lora(self.context, handles, 1, (ctypes.c_float * 1)(scale)) != 0:
            raise AdapterError(path=adapter, reason=log.reason())

    def close(self) -> None:
        """Free everything; the adapter goes with its model. A second call does nothing."""
        if self.context:
            self._llama.llama_free(self.context)
            self.context = None
        if self.model:
            self._llama.llama_model_free(self.model)
            self.model = None

    def _check_kind(self, path: Path) -> None:
        llama = self._llama
        if llama.llama_vocab_type(llama.llama_model_get_vocab(self.model)) == _NO_VOCABULARY:
            raise UnsupportedModelError(path=path, reason="it has no vocabulary")
        if llama.llama_model_has_encoder(self.model):
            raise UnsupportedModelError(path=path, reason="it has an encoder and a decoder; only decoders can chat")
        if llama.llama_model_is_diffusion(self.model):
            raise UnsupportedModelError(path=path, reason="it is a diffusion model, which writes in no order")

    def _make_context(self, path: Path, plan: OffloadPlan, threads: int, log: LogTail) -> Any:
        settings = self._llama.llama_context_default_params()
        settings.n_ctx = plan.context
        settings.n_batch = settings.n_ubatch = plan.batch_tokens
        # Only the last token's logits are wanted. The default reserves a row for each token of a batch: 100 MB for a
        # vocabulary of 49,152.
        settings.n_outputs_max = 1
        settings.n_threads = settings.n_threads_batch = threads
        settings.type_k = settings.type_v = _KV_TYPES[plan.kv_type]
        settings.swa_full = plan.full_window_cache
        settings.flash_attn_type = {None: _FLASH_AUTO, False: _FLASH_OFF, True: _FLASH_ON}[plan.flash_attention]
        settings.offload_kqv = plan.gpu_layers > 0
        settings.op_offload = plan.gpu_layers > 0
        settings.no_perf = True
        settings.abort_callback = self._abort.callback
        settings.abort_callback_data = self._abort.address
        log.clear()
        context = self._llama.llama_init_from_model(self.model, settings)
        if not context:
            raise OutOfMemoryError(log.reason())
        if not self._llama.llama_get_memory(context):
            self._llama.llama_free(context)
            raise UnsupportedModelError(path=path, reason="it is a model for embeddings and writes no text")
        return context


def _load_model(
    llama: Any,
    header: GgufHeader,
    plan: OffloadPlan,
    *,
    abort: AbortFlag,
    log: LogTail,
    report: Callable[[int, int], None],
    meanwhile: Callable[[], None],
) -> Any:
    raised: list[BaseException] = []

    def take(done: float, _data: Any) -> bool:
        # Nothing may be raised through C: the error waits until llama.cpp has given up.
        try:
            report(round(done * _PROGRESS_STEPS), _PROGRESS_STEPS)
        except BaseException as error:  # noqa: BLE001 - raised again below, whatever it is
            raised.append(error)
        return not raised and not abort.is_up

    settings = llama.llama_model_default_params()
    settings.n_gpu_layers = plan.gpu_layers
    callback = llama.llama_progress_callback(take)
    settings.progress_callback = callback
    log.clear()
    beside = threading.Thread(target=meanwhile, name="imports")
    beside.start()
    try:
        model = llama.llama_model_load_from_file(str(header.path).encode(), settings)
    finally:
        beside.join()
    if model and not raised:
        return model
    if model:
        llama.llama_model_free(model)
    if raised:
        raise raised[0]
    if abort.is_up:
        raise CancelledError
    reason = log.reason()
    if any(word in reason for word in ("alloc", "out of memory", "buffer")):
        raise OutOfMemoryError(reason)
    if "unknown model architecture" in reason:
        raise UnsupportedModelError(path=header.path, reason=f"llama.cpp does not know {header.architecture or 'it'}")
    raise ModelLoadError(path=header.path, reason=reason)
