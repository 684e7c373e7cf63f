"""The first of an assistant's preferred models that is on this disk: by SHA-256, then by family and size."""

from __future__ import annotations

from collections.abc import Sequence

from satchel.runtime.engine.choice import GgufFile, list_models
from satchel.runtime.knowledge.text_cache import FileHashes
from satchel.runtime.paths import Home
from satchel.runtime.project.schema import ModelPreference


def find_preferred(preferences: Sequence[ModelPreference], home: Home) -> GgufFile | None:
    """Return a model of this person's folder that the assistant's author named, best first; None without one."""
    models = list_models(home)
    if not models or not preferences:
        return None
    if any(preference.sha256 for preference in preferences):
        # Kept, because hashing a model of 5 GB takes half a minute.
        hashes = FileHashes(home.cache / "model-hashes.json")
        by_hash = {hashes.sha256(model.path): model for model in models}
        hashes.save()
    else:
        by_hash = {}
    for preference in preferences:
        if (exact := by_hash.get(preference.sha256)) is not None:
            return exact
        for model in models:
            if _is_of(model, preference):
                return model
    return None


def _is_of(model: GgufFile, preference: ModelPreference) -> bool:
    """Tell by the name, as authors of GGUFs write it: "Qwen3-4B-Instruct-Q4_K_M" is of family qwen3 and size 4B."""
    name = model.name.casefold()
    family, size = preference.family.casefold(), preference.parameters.casefold()
    return bool(family and size) and family in name.replace("-", "") and size in name.split("-")
