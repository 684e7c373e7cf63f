"""What the page of models shows, without a widget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from satchel.builder.editor.model_choices import context_words
from satchel.builder.language import counted, translate
from satchel.builder.sizes import size_words
from satchel.builder.states import duration
from satchel.runtime.commands.models_link import is_linked
from satchel.runtime.commands.models_list import ListedModel, ModelList, Suggestion, UnfinishedPull
from satchel.runtime.engine.choice import OWN, STARTER
from satchel.runtime.engine.devices import Machine
from satchel.runtime.models.places import TITLES
from satchel.runtime.paths import Home

_OVERHEAD = 1.1
"""A model takes about so many times its file: the window's cache and what the sums need."""


@dataclass(frozen=True, slots=True)
class InstalledRow:
    """One model on this disk."""

    model: ListedModel
    title: str
    origin: str
    size: str
    context: str
    fraction: float | None
    """Of the memory that it would take; None: not known."""
    tone: str
    """`accent`, or `amber` where it is tight."""
    words: str
    in_use: bool
    removal: str
    """`remove` (Satchel pulled it), `unlink` (it lies elsewhere), or empty: it is another program's."""


@dataclass(frozen=True, slots=True)
class OfferRow:
    """A model that could be fetched, or the rest of one."""

    reference: str
    title: str
    about: str
    fits: str
    tone: str
    resumes: bool = False


def machine_words(machine: Machine | None) -> tuple[str, str]:
    """Return what this computer has, and what the engine makes of it."""
    if machine is None:
        return translate("Models", "This computer"), translate("Models", "The engine could not be asked.")
    memory = translate("Models", "{size} of memory", size=size_words(machine.memory.total_bytes))
    free = translate("Models", "{size} free", size=size_words(machine.memory.available_bytes))
    if machine.gpus:
        gpu = machine.gpus[0]
        told = f"{gpu.description} · {size_words(gpu.total_bytes)}"
        how = translate("Models", "The engine uses the GPU.") if machine.offloads else translate(
            "Models", "This build of the engine cannot use the GPU; Settings says how to get one that can."
        )  # fmt: skip
        return told, translate(
            "Models", "{free} on it, and {memory}. {how}", free=_free(gpu.free_bytes), memory=memory, how=how
        )
    cores = counted(machine.cores, translate("Models", "{n} core"), translate("Models", "{n} cores"))
    return f"{cores}, {memory}", translate(
        "Models", "{free}. The engine uses the processor: no GPU was found.", free=free
    )


def installed_rows(listed: ModelList, machine: Machine | None, home: Home, typed: str = "") -> list[InstalledRow]:
    """Return the models on this disk whose name or origin holds what was typed."""
    words = typed.casefold().split()
    rows = [_installed(model, machine, home) for model in listed.models]
    return [row for row in rows if all(word in f"{row.title} {row.origin}".casefold() for word in words)]


def offer_rows(listed: ModelList, typed: str = "") -> list[OfferRow]:
    """Return what can be fetched: begun downloads first."""
    words = typed.casefold().split()
    begun = {pull.reference for pull in listed.unfinished}
    rows = [_begun(pull, listed.catalogue) for pull in listed.unfinished]
    rows += [_offer(model) for model in listed.catalogue if not model.here and model.reference not in begun]
    return [row for row in rows if all(word in f"{row.title} {row.about}".casefold() for word in words)]


def download_words(done_mb: int, total_mb: int, seconds: float, seconds_left: float | None) -> str:
    """Return "2.1 of 7.3 GB · 38 MB/s · about 2 min left"; sizes come in MiB, `seconds` since it began."""
    done, total = done_mb << 20, total_mb << 20
    said = translate("Models", "{done} of {total}", done=size_words(done), total=size_words(total))
    if seconds > 1 and done:
        said += translate("Models", " · {speed}/s", speed=size_words(round(done / seconds)))
    if seconds_left is not None:
        said += translate("Models", " · {time} left", time=duration(seconds_left))
    return said


def _installed(model: ListedModel, machine: Machine | None, home: Home) -> InstalledRow:
    path = Path(model.path)
    if model.source == STARTER:
        title, origin = translate("Models", "Starter 135M"), translate("Models", "came with Satchel")
        removal = ""
    elif model.source == OWN:
        title, linked = model.name, is_linked(path, home)
        origin = translate("Models", "in your folder of models")
        if linked:
            origin = translate("Models", "lies in {folder}", folder=str(path.resolve().parent))
        elif model.pulled:
            origin = translate("Models", "downloaded by Satchel")
        removal = "unlink" if linked else "remove" if model.pulled else ""
    else:
        known: dict[str, str] = {**TITLES}
        title, removal = model.name, ""
        origin = translate("Models", "found in {program}", program=known.get(model.source, model.source))
    size = " · ".join(part for part in (model.quantisation, size_words(model.bytes)) if part)
    return InstalledRow(
        model=model,
        title=title,
        origin=origin,
        size=size,
        context=context_words(model.context) if model.context else "",
        fraction=_fraction(model, machine),
        tone="accent" if model.fits == "yes" else "amber",
        words=_fit_words(model),
        in_use=model.default,
        removal=removal,
    )


def _fit_words(model: ListedModel) -> str:
    if model.fits == "no":
        return translate("Models", "needs more memory than this computer has")
    if model.fits == "unknown":
        return translate("Models", "not known: the engine could not be asked")
    if model.source == STARTER:
        return translate("Models", "small talk and simple tools only")
    context = context_words(model.planned_context)
    if model.fits == "tight":
        return translate("Models", "memory is tight, slow; {context} context", context=context)
    if model.gpu_layers:
        return translate("Models", "{n} layers on the GPU, {context} context", n=model.gpu_layers, context=context)
    return translate("Models", "on the processor, {context} context", context=context)


def _fraction(model: ListedModel, machine: Machine | None) -> float | None:
    if machine is None:
        return None
    room = machine.memory.available_bytes
    if model.gpu_layers:
        room = max(1, sum(gpu.free_bytes for gpu in machine.gpus))
    return min(1.0, model.bytes * _OVERHEAD / max(1, room))


def _offer(model: Suggestion) -> OfferRow:
    parts = (
        model.good_at,
        size_words(round(model.gigabytes * 1e9)),
        translate("Models", "{n} context", n=context_words(model.context)),
        translate("Models", "licence: {licence}", licence=model.licence),
    )
    fits = {
        "yes": (translate("Models", "fits"), "accent"),
        "tight": (translate("Models", "tight: slow"), "amber"),
        "no": (translate("Models", "too large for this computer"), "amber"),
        "unknown": ("", ""),
    }[model.fits]
    return OfferRow(model.reference, model.title, " · ".join(parts), *fits)


def _begun(pull: UnfinishedPull, catalogue: Sequence[Suggestion]) -> OfferRow:
    known = next((model for model in catalogue if model.reference == pull.reference), None)
    title = known.title if known is not None else pull.reference.rpartition("/")[2].removesuffix(".gguf")
    said = translate("Models", "{done} of {size} are here", done=size_words(pull.bytes), size=size_words(pull.size))
    return OfferRow(pull.reference, title, said, "", "", resumes=True)


def _free(count: int) -> str:
    return translate("Models", "{size} free", size=size_words(count))
