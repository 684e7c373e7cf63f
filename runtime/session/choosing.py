"""Which model answers (DESIGN 3.2): the person's word, the pack's preference on this disk, their default, else quotes.

Nothing is downloaded, and the answer says which model spoke.
"""

from __future__ import annotations

from dataclasses import dataclass

from satchel.runtime.paths import Home
from satchel.runtime.session.assistant import LoadedAssistant
from satchel.runtime.session.events import Warned
from satchel.runtime.session.language_model import LanguageModel
from satchel.runtime.settings import Settings


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """What a person says about the model; None: as the assistant and this machine suggest."""

    reference: str | None = None
    """A GGUF's path, a model's name, `starter` or `reader`."""
    gpu_layers: int | None = None
    context: int | None = None
    temperature: float | None = None
    seed: int | None = None


def choose_model(
    request: ModelRequest, assistant: LoadedAssistant, settings: Settings, home: Home
) -> LanguageModel | None:
    """Return the model that answers, not loaded yet; None means that answers are quotes.

    Raises:
        ModelMissingError: the person named a model that is not here.
    """
    import msgspec

    from satchel.runtime.engine.base import LoadSpec
    from satchel.runtime.engine.choice import Quote, find_model
    from satchel.runtime.engine.client import EngineClient
    from satchel.runtime.session.preferred import find_adapter, find_preferred

    found = find_model(request.reference, home) if request.reference else find_preferred(assistant.models, home)
    if found is None and settings.default_model:
        found = find_model(settings.default_model, home)
    if found is None or isinstance(found, Quote):
        return None
    sampling = assistant.sampling
    if request.temperature is not None:
        sampling = msgspec.structs.replace(sampling, temperature=request.temperature)
    if request.seed is not None:
        sampling = msgspec.structs.replace(sampling, seed=request.seed)
    adapter = find_adapter(assistant.adapter, home) if assistant.adapter is not None else None
    notes = []
    if assistant.adapter is not None and adapter is None:
        text = f"The adapter that the assistant was made with is not on this disk ({assistant.adapter.source})."
        notes.append(Warned("no-adapter", text))
    spec = LoadSpec(
        path=str(found.path),
        adapter=str(adapter) if adapter is not None else None,
        context=request.context or settings.context,
        gpu_layers=request.gpu_layers,
        threads=settings.threads,
        cache=str(home.cache),
    )
    return LanguageModel(
        EngineClient(),
        spec,
        sampling,
        name=found.name,
        minimum_context=max((preference.minimum_context for preference in assistant.models), default=0),
        idle_seconds=settings.unload_minutes * 60,
        notes=notes,
    )
