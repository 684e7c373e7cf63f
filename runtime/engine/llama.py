"""llama.cpp in this process, over its low-level C API.

For a worker process, and for tests: llama.cpp ends its process on some inputs, so nothing else may depend on this one.
"""

from __future__ import annotations

import functools
import importlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from satchel.runtime.engine.base import (
    LOADING,
    LOADING_ONTO_GPU,
    ChatMessage,
    Grammar,
    Item,
    LoadSpec,
    ModelInfo,
    Note,
    SamplingSettings,
)
from satchel.runtime.engine.bindings import LogTail, load_llama
from satchel.runtime.engine.decoding import AbortFlag
from satchel.runtime.engine.devices import Machine, probe_machine
from satchel.runtime.engine.errors import ModelLoadError, ModelTooLargeError, NotLoadedError, UnsupportedModelError
from satchel.runtime.engine.gguf_header import GgufHeader, read_model
from satchel.runtime.engine.identity import model_identity
from satchel.runtime.engine.lessons import Lesson, Lessons, free_bytes, lesson_key, smaller
from satchel.runtime.engine.loaded import LoadedModel, OutOfMemoryError
from satchel.runtime.engine.model_shape import ModelShape, read_shape
from satchel.runtime.engine.plan import OffloadPlan, PlanRequest, plan
from satchel.runtime.engine.sizes import in_words
from satchel.runtime.errors import UsageError
from satchel.runtime.progress import SILENT, Progress

if TYPE_CHECKING:
    from satchel.runtime.engine.generation import Speaker

# Imported while llama.cpp reads the file: 90 ms that nobody waits for.
_IMPORTED_MEANWHILE = ("numpy", "jinja2.sandbox", "satchel.runtime.engine.generation")
_ENGINE_CACHE = "engine"
_MOST_THREADS = 512
"""llama.cpp's own limit (GGML_MAX_N_THREADS); beyond it the process ends."""
_MOST_CONTEXT = 1 << 24


class LlamaEngine:
    """One model at a time. See `base.Engine` for the contract."""

    def __init__(self, *, probe: Callable[[], Machine] = probe_machine) -> None:
        """`probe` tells what the machine has; tests describe another one."""
        self._probe = probe
        self._log = LogTail()
        self._llama = load_llama()
        self._llama.llama_backend_init()
        self._abort = AbortFlag(self._llama)
        self._speaker: Speaker | None = None

    def load(self, spec: LoadSpec, *, progress: Progress = SILENT, deaths: int = 0) -> ModelInfo:
        """Load a model, in the place of what is loaded.

        `deaths` is how often a process has died of it: a GPU's driver may end it where memory is short.
        """
        started = time.perf_counter()
        self.unload()
        self._abort.lower()
        _check_spec(spec)
        header = read_model(Path(spec.path))
        _check_is_model(header)
        shape = read_shape(header)
        machine = self._probe()
        identity = model_identity(header)
        threads = spec.threads or min(machine.cores, _MOST_THREADS)
        lessons = Lessons(Path(spec.cache) / _ENGINE_CACHE if spec.cache else None)
        key, free = lesson_key(identity, machine), free_bytes(machine)

        def attempt(chosen: OffloadPlan) -> LoadedModel:
            stage = LOADING_ONTO_GPU if chosen.gpu_layers else LOADING
            progress(stage, 0, 100)
            return LoadedModel(
                self._llama,
                header,
                chosen,
                threads=threads,
                abort=self._abort,
                log=self._log,
                report=functools.partial(progress, stage),
                meanwhile=_import_meanwhile,
            )

        def choose(request: PlanRequest) -> OffloadPlan:
            return _planned(header, shape, machine, request)

        def less(chosen: OffloadPlan) -> Lesson | None:
            return smaller(Lesson(chosen.gpu_layers, chosen.context, free))

        request = _within(_request(spec), lessons.recall(key, free_bytes=free))
        for _ in range(deaths):
            request = _within(request, less(choose(request)))
        chosen, loaded, failed = _load_what_fits(header.path, request, choose=choose, attempt=attempt, less=less)
        if failed or deaths:
            lessons.learn(key, Lesson(chosen.gpu_layers, chosen.context, free))
        try:
            if spec.adapter is not None:
                loaded.put_on(Path(spec.adapter), spec.adapter_scale, header, self._log)
            from satchel.runtime.engine.generation import Speaker

            self._speaker = Speaker(
                self._llama,
                loaded=loaded,
                header=header,
                plan=chosen,
                spec=spec,
                abort=self._abort,
                identity=identity,
                threads=threads,
            )
        except BaseException:
            loaded.close()
            raise
        notes = (_backed_off(chosen, machine),) if failed or deaths else ()
        return self._speaker.describe(load_seconds=time.perf_counter() - started, notes=notes)

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of a text."""
        return self._loaded().count_tokens(text)

    def render(self, messages: Sequence[ChatMessage], tools: Sequence[dict[str, Any]] | None = None) -> list[int]:
        """Return the prompt's tokens."""
        return self._loaded().render(messages, tools)[0]

    def generate(
        self,
        messages: Sequence[ChatMessage],
        sampling: SamplingSettings,
        *,
        max_tokens: int,
        stop: Sequence[str] = (),
        grammar: Grammar | None = None,
        seed: int | None = None,
        tools: Sequence[dict[str, Any]] | None = None,
        pinned: int = 0,
    ) -> Iterator[Item]:
        """Answer a conversation, token by token. A `cancel` from now on counts, before the first item too."""
        self._abort.lower()
        return self._loaded().speak(
            messages, sampling, max_tokens=max_tokens, stop=stop, grammar=grammar, seed=seed, tools=tools, pinned=pinned
        )

    def cancel(self) -> None:
        """Stop the running generation or load."""
        self._abort.raise_it()

    def unload(self) -> None:
        """Free the model; without one, do nothing."""
        if self._speaker is not None:
            self._speaker.close()
            self._speaker = None

    def close(self) -> None:
        """Free everything, and give llama.cpp its logger back."""
        self.unload()
        self._log.close()

    def _loaded(self) -> Speaker:
        if self._speaker is None:
            raise NotLoadedError
        return self._speaker


def _check_is_model(header: GgufHeader) -> None:
    kind = header.text("general.type", "model")
    if kind == "adapter":
        raise UnsupportedModelError(path=header.path, reason="it is an adapter, not a model of its own")
    if kind != "model" or header.architecture == "clip":
        raise UnsupportedModelError(path=header.path, reason=f"it is a {kind} file, which goes with another model")
    if not header.architecture:
        raise UnsupportedModelError(path=header.path, reason="it names no architecture")


def _check_spec(spec: LoadSpec) -> None:
    """Refuse what llama.cpp would answer with an abort or with nonsense."""
    ranges = (("context", 0, _MOST_CONTEXT), ("gpu_layers", 0, 1 << 16), ("threads", 0, _MOST_THREADS))
    for name, least, most in ranges:
        value = getattr(spec, name)
        if value is not None and not least <= value <= most:
            raise UsageError(reason=f"{name} is {value}; it must be between {least} and {most:,}")
    if not math.isfinite(spec.adapter_scale):
        raise UsageError(reason=f"adapter_scale is {spec.adapter_scale}; it must be a finite number")


def _planned(header: GgufHeader, shape: ModelShape, machine: Machine, request: PlanRequest) -> OffloadPlan:
    chosen = plan(shape, machine, request)
    if not chosen.fits_host:
        raise ModelTooLargeError(
            path=header.path,
            needed=in_words(chosen.host_bytes),
            available=in_words(chosen.host_total),
            sums="; ".join(chosen.lines),
        )
    return chosen


def _load_what_fits(
    path: Path,
    request: PlanRequest,
    *,
    choose: Callable[[PlanRequest], OffloadPlan],
    attempt: Callable[[OffloadPlan], LoadedModel],
    less: Callable[[OffloadPlan], Lesson | None],
) -> tuple[OffloadPlan, LoadedModel, bool]:
    """Load as planned; when memory does not suffice after all, with fewer layers on the GPU, then a shorter context.

    Returns what worked, and whether something failed before.
    """
    failed = False
    while True:
        chosen = choose(request)
        try:
            return chosen, attempt(chosen), failed
        except OutOfMemoryError as error:
            most = less(chosen)
            if most is None:
                raise ModelLoadError(path=path, reason=str(error)) from error
            request = _within(request, most)
            failed = True


def _request(spec: LoadSpec) -> PlanRequest:
    adapter = Path(spec.adapter) if spec.adapter is not None else None
    return PlanRequest(
        context=spec.context,
        gpu_layers=spec.gpu_layers,
        kv_type=spec.kv_type,
        adapter_bytes=adapter.stat().st_size if adapter is not None and adapter.is_file() else 0,
    )


def _within(request: PlanRequest, lesson: Lesson | None) -> PlanRequest:
    if lesson is None:
        return request
    return PlanRequest(
        context=min(request.context, lesson.context),
        gpu_layers=None if request.gpu_layers is None else min(request.gpu_layers, lesson.gpu_layers),
        kv_type=request.kv_type,
        adapter_bytes=request.adapter_bytes,
        most_gpu_layers=lesson.gpu_layers,
        most_context=lesson.context,
    )


def _import_meanwhile() -> None:
    for name in _IMPORTED_MEANWHILE:
        importlib.import_module(name)


def _backed_off(chosen: OffloadPlan, machine: Machine) -> Note:
    layers = f"{chosen.gpu_layers} layers on the GPU, " if machine.gpus else ""
    return Note("backed-off", f"Memory did not suffice for more: {layers}a context of {chosen.context:,} tokens.")
