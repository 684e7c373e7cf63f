"""The child's side of `client.EngineClient`: one engine, served over the worker's pipes."""

from __future__ import annotations

from typing import Any

import msgspec

from satchel.runtime.engine.base import ChatMessage, Grammar, LoadSpec, SamplingSettings
from satchel.runtime.engine.devices import probe_machine
from satchel.runtime.engine.llama import LlamaEngine
from satchel.runtime.worker.service import Call, Method


class LoadRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The parameters of `LlamaEngine.load`."""

    spec: LoadSpec
    deaths: int


class GenerateRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The parameters of `Engine.generate`."""

    messages: tuple[ChatMessage, ...]
    sampling: SamplingSettings
    max_tokens: int
    stop: tuple[str, ...]
    grammar: Grammar | None
    seed: int | None
    tools: tuple[dict[str, Any], ...] | None
    pinned: int


class RenderRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The parameters of `Engine.render`."""

    messages: tuple[ChatMessage, ...]
    tools: tuple[dict[str, Any], ...] | None


class EngineService:
    """An engine's methods, as a worker calls them."""

    def __init__(self, engine: LlamaEngine) -> None:
        self._engine = engine

    def methods(self) -> dict[str, Method]:
        """Return the table that `serve` takes."""
        return {
            "load": self._load,
            "count_tokens": self._count_tokens,
            "render": self._render,
            "generate": self._generate,
            "machine": self._machine,
        }

    def _load(self, params: dict[str, Any], call: Call) -> Any:
        call.when_cancelled(self._engine.cancel)

        def report(stage: str, done: int, total: int | None) -> None:
            call.check()
            call.emit((stage, done, total))

        request = msgspec.convert(params, LoadRequest)
        info = self._engine.load(request.spec, progress=report, deaths=request.deaths)
        return msgspec.to_builtins(info)

    def _count_tokens(self, params: dict[str, Any], _call: Call) -> int:
        return self._engine.count_tokens(params["text"])

    def _render(self, params: dict[str, Any], _call: Call) -> list[int]:
        request = msgspec.convert(params, RenderRequest)
        return self._engine.render(request.messages, request.tools)

    def _generate(self, params: dict[str, Any], call: Call) -> None:
        request = msgspec.convert(params, GenerateRequest)
        items = self._engine.generate(
            request.messages,
            request.sampling,
            max_tokens=request.max_tokens,
            stop=request.stop,
            grammar=request.grammar,
            seed=request.seed,
            tools=request.tools,
            pinned=request.pinned,
        )
        call.when_cancelled(self._engine.cancel)
        for item in items:
            call.emit(item)

    def _machine(self, _params: dict[str, Any], _call: Call) -> Any:
        return msgspec.to_builtins(probe_machine())


def methods() -> dict[str, Method]:
    """Return the methods of a fresh engine; the worker calls this once."""
    return EngineService(LlamaEngine()).methods()
