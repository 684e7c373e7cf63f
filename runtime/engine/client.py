"""The parent's side: an engine in a worker process, which may die without taking anything along."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self

import msgspec

from satchel.runtime.engine.base import (
    LOADING_ONTO_GPU,
    ChatMessage,
    Generated,
    Grammar,
    Item,
    LoadSpec,
    ModelInfo,
    SamplingSettings,
    Timings,
    TokenUsage,
)
from satchel.runtime.engine.devices import Machine
from satchel.runtime.engine.errors import NotLoadedError
from satchel.runtime.errors import CancelledError, WorkerDiedError
from satchel.runtime.progress import SILENT, Progress
from satchel.runtime.worker.limits import WorkerLimits
from satchel.runtime.worker.process import Worker

SERVICE = "satchel.runtime.engine.service"
_MOST_LOAD_ATTEMPTS = 6
_CANCEL_SECONDS = 10.0
"""A batch of a large model on a GPU cannot be interrupted; its process is ended only long after."""


class EngineClient:
    """One model in a process of its own. See `base.Engine` for the contract.

    When the process dies, whatever was running raises `WorkerDiedError`, and the next call starts another one and loads
    the model again. Calls run on one thread at a time; `cancel` may be called from any.
    """

    def __init__(self, *, limits: WorkerLimits | None = None, service: str = SERVICE) -> None:
        """Nothing is started before `start` or the first call."""
        self._worker = Worker(service, name="model", limits=limits, cancel_seconds=_CANCEL_SECONDS)
        self._spec: LoadSpec | None = None
        self._info: ModelInfo | None = None
        self._loaded_in: int | None = None
        self._cancel_wanted = threading.Event()
        self._stage = ""

    @property
    def info(self) -> ModelInfo | None:
        """The model that was loaded last; kept when it is unloaded or its process dies."""
        return self._info

    @property
    def is_loaded(self) -> bool:
        """Whether the process is there and holds the model."""
        return self._loaded_in is not None and self._worker.pid == self._loaded_in

    @property
    def pid(self) -> int | None:
        """The worker's process id while it runs."""
        return self._worker.pid

    def start(self) -> None:
        """Start the process without a model: calling early hides its start-up behind other work."""
        self._worker.start()

    def machine(self) -> Machine:
        """Return what the worker finds on this machine."""
        return msgspec.convert(self._worker.call("machine"), Machine)

    def load(self, spec: LoadSpec, *, progress: Progress = SILENT) -> ModelInfo:
        """Load a model. A process that dies while layers go to the GPU is restarted with fewer of them."""
        self._cancel_wanted.clear()
        self._spec = spec
        return self._load_with_retries(spec, progress)

    def ensure_loaded(self, *, progress: Progress = SILENT) -> ModelInfo:
        """Load the model again if its process is gone or it was unloaded.

        Raises:
            NotLoadedError: none was ever loaded.
        """
        spec = self._known_spec()
        if self.is_loaded and self._info is not None:
            return self._info
        return self.load(spec, progress=progress)

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of a text."""
        self.ensure_loaded()
        return int(self._worker.call("count_tokens", {"text": text}))

    def render(self, messages: Sequence[ChatMessage], tools: Sequence[dict[str, Any]] | None = None) -> list[int]:
        """Return the prompt's tokens."""
        self.ensure_loaded()
        return list(self._worker.call("render", {"messages": msgspec.to_builtins(list(messages)), "tools": tools}))

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
        self._cancel_wanted.clear()
        request = {
            "messages": list(messages),
            "sampling": sampling,
            "max_tokens": max_tokens,
            "stop": list(stop),
            "grammar": grammar,
            "seed": seed,
            "tools": None if tools is None else list(tools),
            "pinned": pinned,
        }
        return self._generate(msgspec.to_builtins(request))

    def cancel(self) -> None:
        """Stop the running generation or load; from any thread."""
        self._cancel_wanted.set()
        self._worker.cancel()

    def unload(self) -> None:
        """End the process, which gives back every byte of memory; the next call loads the model again."""
        self._loaded_in = None
        self._worker.close()

    def close(self) -> None:
        """End the process for good."""
        self.unload()
        self._spec = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _load_with_retries(self, spec: LoadSpec, progress: Progress) -> ModelInfo:
        self._loaded_in = None
        for deaths in range(_MOST_LOAD_ATTEMPTS):
            try:
                self._info = self._load(spec, progress, deaths)
                break
            except WorkerDiedError:
                if deaths + 1 == _MOST_LOAD_ATTEMPTS or self._stage != LOADING_ONTO_GPU:
                    raise
        self._loaded_in = self._worker.pid
        assert self._info is not None
        return self._info

    def _load(self, spec: LoadSpec, progress: Progress, deaths: int) -> ModelInfo:
        self._stage = ""
        stream = self._worker.stream("load", {"spec": msgspec.to_builtins(spec), "deaths": deaths})
        try:
            while True:
                self._stage, done, total = next(stream)
                self._pass_on_cancel()
                progress(self._stage, done, total)
        except StopIteration as end:
            return msgspec.convert(end.value, ModelInfo)
        finally:
            stream.close()

    def _generate(self, request: dict[str, Any]) -> Iterator[Item]:
        if self._cancel_wanted.is_set():
            yield _CANCELLED_AT_ONCE
            return
        try:
            if not self.is_loaded:
                self._load_with_retries(self._known_spec(), SILENT)
            with contextlib.closing(self._worker.stream("generate", request)) as stream:
                for item in stream:
                    self._pass_on_cancel()
                    yield msgspec.convert(item, Item)
        except CancelledError:  # before it began
            yield _CANCELLED_AT_ONCE

    def _known_spec(self) -> LoadSpec:
        if self._spec is None:
            raise NotLoadedError
        return self._spec

    def _pass_on_cancel(self) -> None:
        """Cancel again what was cancelled in the moment between asking and the worker's hearing of it."""
        if self._cancel_wanted.is_set():
            self._worker.cancel()


_CANCELLED_AT_ONCE = Generated("cancelled", 0, TokenUsage(0, 0, 0, 0, 0), Timings(0, 0, 0, 0, 0))
