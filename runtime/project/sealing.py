"""Between `assistant.toml` and a pack's manifest: the same assistant, once as people edit it and once sealed."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.packfile.schema_v1 import (
    Adapter,
    AnalyserFingerprint,
    Identity,
    Manifest,
    ModelPreference,
    Persona,
    ToolUse,
)
from satchel.runtime.packfile.schema_v1 import Retrieval as SealedRetrieval
from satchel.runtime.packfile.schema_v1 import Sampling as SealedSampling
from satchel.runtime.project import schema

_DECIMALS = 6


def seal(
    assistant: schema.Assistant,
    *,
    examples: int,
    embedder: EmbedderFingerprint | None,
    analyser: AnalyserFingerprint | None,
) -> Manifest:
    """Return the manifest of an assistant, its table of entries still empty.

    `examples` is how many there are; the prompt takes at most as many as the assistant says.
    """
    retrieval, sampling, adapter = assistant.retrieval, assistant.sampling, assistant.adapter
    gate = retrieval.gate
    return Manifest(
        identity=Identity(id=assistant.id, name=assistant.name, version=assistant.version, author=assistant.author),
        persona=Persona(
            description=assistant.description, greeting=assistant.greeting, starters=tuple(assistant.starters)
        ),
        attribution=assistant.attribution,
        examples=min(examples, assistant.examples),
        models=tuple(
            ModelPreference(**{name: getattr(model, name) for name in model.__struct_fields__})
            for model in assistant.models
        ),
        adapter=Adapter(sha256=adapter.sha256, source=adapter.source) if adapter else None,
        sampling=SealedSampling(
            temperature=decimal(sampling.temperature),
            top_p=decimal(sampling.top_p),
            top_k=sampling.top_k,
            min_p=decimal(sampling.min_p),
            repeat_penalty=decimal(sampling.repeat_penalty),
            max_tokens=sampling.max_tokens,
            seed=sampling.seed,
        ),
        retrieval=SealedRetrieval(
            passage_tokens=retrieval.passage_tokens,
            overlap_tokens=retrieval.overlap_tokens,
            k=retrieval.k,
            gate=gate if isinstance(gate, str) else decimal(gate),
            rerank=retrieval.rerank,
        ),
        embedder=embedder,
        analyser=analyser,
        tools=tuple(_sealed_tools(assistant.tools)),
    )


def unseal(manifest: Manifest, *, knowledge: schema.Knowledge) -> schema.Assistant:
    """Return the assistant of a manifest; `knowledge` says where its files are now."""
    retrieval, sampling = manifest.retrieval, manifest.sampling
    return schema.Assistant(
        id=manifest.identity.id,
        name=manifest.identity.name,
        version=manifest.identity.version,
        author=manifest.identity.author,
        description=manifest.persona.description,
        greeting=manifest.persona.greeting,
        starters=list(manifest.persona.starters),
        attribution=manifest.attribution,
        examples=manifest.examples,
        retrieval=schema.Retrieval(
            passage_tokens=retrieval.passage_tokens,
            overlap_tokens=retrieval.overlap_tokens,
            k=retrieval.k,
            gate=retrieval.gate if retrieval.gate in {"auto", "off"} else float(retrieval.gate),  # type: ignore[arg-type]  # one of the two words
            rerank=retrieval.rerank,
        ),
        sampling=schema.Sampling(
            temperature=float(sampling.temperature),
            top_p=float(sampling.top_p),
            top_k=sampling.top_k,
            min_p=float(sampling.min_p),
            repeat_penalty=float(sampling.repeat_penalty),
            max_tokens=sampling.max_tokens,
            seed=sampling.seed,
        ),
        knowledge=knowledge,
        models=[msgspec.convert(msgspec.to_builtins(model), schema.ModelPreference) for model in manifest.models],
        adapter=schema.Adapter(sha256=manifest.adapter.sha256, source=manifest.adapter.source)
        if manifest.adapter
        else None,
        tools={tool.name: _unsealed_tool(tool) for tool in manifest.tools},
    )


def decimal(value: float) -> str:
    """Return the one spelling of a number in a manifest, where floats have no place: "0.2", "1", "0.000001"."""
    text = f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _sealed_tools(tools: dict[str, schema.Tool]) -> Iterable[ToolUse]:
    for name, tool in sorted(tools.items()):
        settings = {key: tuple(value) if isinstance(value, list) else value for key, value in tool.settings.items()}
        yield ToolUse(name=name, settings=settings, requests=tuple(tool.requests))


def _unsealed_tool(tool: ToolUse) -> schema.Tool:
    settings = {key: list(value) if isinstance(value, tuple) else value for key, value in tool.settings.items()}
    return schema.Tool(settings=settings, requests=list(tool.requests))
