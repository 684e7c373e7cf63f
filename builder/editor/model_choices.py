"""Which model an assistant is made for, without a widget."""

from __future__ import annotations

import re
from dataclasses import dataclass

from satchel.builder.language import translate
from satchel.builder.sizes import size_words
from satchel.runtime.commands.models_list import ListedModel, ModelList
from satchel.runtime.engine.choice import STARTER
from satchel.runtime.project.schema import Assistant, ModelPreference

_PARAMETERS = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?[bBmM])(?![\w.])")
_TONES = {"yes": "accent", "tight": "amber", "no": "amber", "unknown": ""}


@dataclass(frozen=True, slots=True)
class Choice:
    """A line of the list; `model` None is "whatever suits"."""

    model: ListedModel | None
    title: str
    about: str
    fits: str = ""
    tone: str = ""
    missing: ModelPreference | None = None
    """It is what the assistant asks for, and not on this computer."""


def choices(listed: ModelList, assistant: Assistant) -> list[Choice]:
    """Return what can be chosen; a model that the assistant names and that is not here is there as well."""
    found = [
        Choice(None, translate("Model", "Whatever suits the computer it runs on"), translate("Model", "recommended"))
    ]
    # The Starter speaks where a person chooses it, never for a pack.
    named = (model for model in listed.models if model.source != STARTER)
    found += [Choice(model, model.name, about(model), fit_words(model), _TONES[model.fits]) for model in named]
    wanted = assistant.models[0] if assistant.models else None
    if wanted is not None and chosen(found, assistant) is None:
        said = translate("Model", "not on this computer; until it is, another one or quotes answer")
        found.append(Choice(None, wanted.name, said, missing=wanted))
    return found


def chosen(found: list[Choice], assistant: Assistant) -> Choice | None:
    """Return the choice that the assistant has; None where its model is not among them."""
    if not assistant.models:
        return found[0]
    wanted = assistant.models[0]
    for choice in found:
        if choice.missing is wanted or (choice.model is not None and choice.model.name == wanted.name):
            return choice
    return None


def preference(model: ListedModel, sha256: str, minimum_context: int) -> ModelPreference:
    """Return how a pack names a model: by its hash, and by family and size for the same one elsewhere."""
    match = _PARAMETERS.search(model.name.replace("-", " ").replace("_", " "))
    family = model.name[: match.start()].strip("-_ .") if match is not None else ""
    return ModelPreference(
        name=model.name[:200],
        family=family[:200],
        parameters=match[1].upper() if match is not None else "",
        sha256=sha256,
        minimum_context=minimum_context,
    )


def about(model: ListedModel) -> str:
    """Return "Q4_K_M · 2.5 GB · 32k context"."""
    parts = [model.quantisation, size_words(model.bytes)]
    if model.context:
        parts.append(translate("Model", "{n} context", n=context_words(model.context)))
    return " · ".join(part for part in parts if part)


def context_words(tokens: int) -> str:
    """Return "8k", "32k", "128k"."""
    return f"{round(tokens / 1024)}k" if tokens >= 1024 else str(tokens)


def fit_words(model: ListedModel) -> str:
    """Return in a few words whether it fits this computer."""
    return {
        "yes": translate("Model", "fits"),
        "tight": translate("Model", "tight: slow"),
        "no": translate("Model", "does not fit"),
        "unknown": translate("Model", "not known"),
    }[model.fits]
