"""`satchel models list`: every model that can speak here, what this machine makes of it, and what could be pulled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from satchel.runtime.engine.choice import STARTER, GgufFile, find_elsewhere, list_models
from satchel.runtime.engine.client import EngineClient
from satchel.runtime.engine.devices import Machine
from satchel.runtime.engine.model_shape import ModelShape
from satchel.runtime.engine.plan import PlanRequest, plan
from satchel.runtime.engine.sizes import in_words
from satchel.runtime.engine.starter import STARTER_SHA256, find_starter
from satchel.runtime.errors import SatchelError
from satchel.runtime.models.catalogue import CatalogueModel, load_catalogue
from satchel.runtime.models.facts import ModelFacts, read_facts
from satchel.runtime.models.partial import STATE_SUFFIX, SUFFIX, read_state
from satchel.runtime.models.pulled import pulled_models
from satchel.runtime.paths import Home
from satchel.runtime.settings import Settings

Fit: TypeAlias = Literal["yes", "tight", "no", "unknown"]
_OVERHEAD_BYTES = 768 << 20
"""KV cache of 8,192 tokens and what the computation needs, of a model of a few billion weights."""


class ListedModel(msgspec.Struct, frozen=True, kw_only=True):
    """One model that can speak; sizes in bytes, contexts in tokens."""

    name: str
    source: str
    """`satchel` for this person's folder, `starter`, or the program that keeps it."""
    path: str
    bytes: int
    quantisation: str
    architecture: str
    parameters: int
    context: int
    """Trained on."""
    fits: Fit
    why: str
    planned_context: int = 0
    gpu_layers: int = 0
    pulled: bool = False
    default: bool = False


class UnfinishedPull(msgspec.Struct, frozen=True, kw_only=True):
    """A download that can go on."""

    reference: str
    bytes: int
    size: int


class StarterState(msgspec.Struct, frozen=True, kw_only=True):
    """The small model that installs without a hub."""

    installed: bool
    how: str
    """How it is installed, or what is wrong with it; empty where it is ready."""


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """A model of the catalogue."""

    name: str
    title: str
    reference: str
    parameters: str
    gigabytes: float
    licence: str
    context: int
    good_at: str
    fits: Fit
    """Estimated from its size; the plan tells exactly once it is here."""
    here: bool


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """What `list` found. Its JSON form is part of the command's contract."""

    models: tuple[ListedModel, ...]
    left_out: int
    """Files that cannot speak; `models find` and `doctor` say why."""
    unfinished: tuple[UnfinishedPull, ...]
    starter: StarterState
    folder: str
    catalogue_made: str
    catalogue_how: str
    """How its entries were checked."""
    catalogue: tuple[Suggestion, ...]


def list_usable(home: Home, settings: Settings) -> ModelList:
    """Look at all models on this disk. Nothing is loaded, changed or fetched."""
    machine, problem = _ask_engine()
    known = [*list_models(home), *find_elsewhere(home)]
    starter, starter_path = _starter(home)
    if starter_path is not None:
        known = [model for model in known if model.path != starter_path]
        known.insert(0, GgufFile(starter_path, STARTER, is_starter=True, source=STARTER))
    pulled = {model.path: model.record.files[0].sha256 for model in pulled_models(home.models)}
    facts = [(model, read_facts(model.path)) for model in _each_once(known, pulled)]
    models = tuple(
        _listed(model, told, machine, problem, settings, is_pulled=model.path in pulled)
        for model, told in facts
        if not told.problem
    )
    catalogue = load_catalogue()
    files = {model.path.name for model in known}
    return ModelList(
        models=models,
        left_out=len(facts) - len(models),
        unfinished=tuple(_unfinished(home)),
        starter=starter,
        folder=str(home.models),
        catalogue_made=catalogue.made.isoformat(),
        catalogue_how=catalogue.how,
        catalogue=tuple(_suggestion(model, machine, files) for model in catalogue.model),
    )


def _each_once(models: Sequence[GgufFile], pulled: Mapping[Path, str]) -> Iterator[GgufFile]:
    """Leave out copies, as far as hashes are known without reading gigabytes; `models find` reads where it must."""
    seen: set[str] = set()
    for model in models:
        sha256 = STARTER_SHA256 if model.source == STARTER else model.sha256 or pulled.get(model.path, "")
        if sha256 not in seen:
            yield model
        seen.update(filter(None, [sha256]))


def judge(shape: ModelShape, machine: Machine | None, request: PlanRequest | None = None) -> tuple[Fit, str, int, int]:
    """Return whether a model fits a machine, why, and the context and GPU layers that it would get."""
    if machine is None:
        return "unknown", "the engine could not be asked", 0, 0
    chosen = plan(shape, machine, request)
    fits: Fit = "no" if not chosen.fits_host else "tight" if chosen.is_tight else "yes"
    needs = f"{in_words(chosen.host_bytes)} of {in_words(chosen.host_available)} memory"
    if chosen.gpu_bytes:
        needs += f" and {in_words(chosen.gpu_bytes)} on the GPU"
    return fits, f"needs {needs}; {chosen.lines[-1]}", chosen.context, chosen.gpu_layers


def estimate(gigabytes: float, machine: Machine | None) -> Fit:
    """Return whether a file of a size would fit, before its header is here."""
    if machine is None:
        return "unknown"
    needed = gigabytes * 1e9 * 1.05 + _OVERHEAD_BYTES
    gpu = sum(device.free_bytes for device in machine.gpus) if machine.offloads else 0
    if needed <= max(machine.memory.available_bytes, gpu):
        return "yes"
    return "tight" if needed <= max(machine.memory.total_bytes, gpu) else "no"


def _ask_engine() -> tuple[Machine | None, str]:
    # In a worker: a GPU driver that fails takes its process along.
    try:
        with EngineClient() as engine:
            return engine.machine(), ""
    except SatchelError as error:
        return None, error.message


def _starter(home: Home) -> tuple[StarterState, Path | None]:
    try:
        path = find_starter(home)
    except SatchelError as error:
        return StarterState(installed=False, how=f"{error.message} {error.advice}"), None
    return StarterState(installed=True, how=""), path


def _listed(
    model: GgufFile, facts: ModelFacts, machine: Machine | None, problem: str, settings: Settings, *, is_pulled: bool
) -> ListedModel:
    assert facts.shape is not None, "a model without a problem has a shape"
    fits, why, context, gpu_layers = judge(facts.shape, machine, PlanRequest(context=settings.context))
    return ListedModel(
        name=model.name,
        source=model.source,
        path=str(model.path),
        bytes=facts.bytes,
        quantisation=facts.quantisation,
        architecture=facts.architecture,
        parameters=facts.parameters,
        context=facts.context,
        fits=fits,
        why=problem or why,
        planned_context=context,
        gpu_layers=gpu_layers,
        pulled=is_pulled,
        default=settings.default_model.casefold() in {model.name.casefold(), str(model.path).casefold()},
    )


def _unfinished(home: Home) -> Sequence[UnfinishedPull]:
    found = []
    for state_path in sorted(home.models.rglob("*" + STATE_SUFFIX)):
        whole = state_path.with_name(state_path.name.removesuffix(STATE_SUFFIX))
        partial = whole.with_name(whole.name + SUFFIX)
        if (state := read_state(whole)) is not None and partial.is_file():
            reference = f"hub:{state.repository}/{state.file}"
            found.append(UnfinishedPull(reference=reference, bytes=partial.stat().st_size, size=state.size))
    return found


def _suggestion(model: CatalogueModel, machine: Machine | None, files: set[str]) -> Suggestion:
    return Suggestion(
        name=model.name,
        title=model.title,
        reference=model.reference,
        parameters=model.parameters,
        gigabytes=model.gigabytes,
        licence=model.licence,
        context=model.context,
        good_at=model.good_at,
        fits=estimate(model.gigabytes, machine),
        here=model.file in files,
    )
