"""The first of an assistant's preferred models that is on this disk: by SHA-256, then by family and size."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from satchel.runtime.engine.choice import OWN, GgufFile, find_elsewhere, list_models
from satchel.runtime.engine.known_hashes import KnownHashes
from satchel.runtime.paths import Home
from satchel.runtime.project.schema import Adapter, ModelPreference

# A point between digits belongs to its word: "3.2", "1.5b".
_WORD_BREAK = re.compile(r"[-_ :/]+|\.(?!\d)|(?<!\d)\.")


def find_preferred(preferences: Sequence[ModelPreference], home: Home) -> GgufFile | None:
    """Return a model on this disk that the assistant's author named, best first; None without one.

    Of two that fit one preference alike, that of this person's own folder is taken.
    """
    if not preferences:
        return None
    own = list_models(home)
    models = [*own, *find_elsewhere(home)]
    # What other programs keep is known by the hash that they name it by, if they do, and never read for it here.
    by_hash = {model.sha256: model for model in reversed(models) if model.sha256}
    if own and any(preference.sha256 for preference in preferences):
        # Kept, because hashing a model of 5 GB takes half a minute.
        hashes = KnownHashes(home.cache)
        by_hash |= {hashes.sha256(model.path): model for model in own}
    for preference in preferences:
        if preference.sha256 and (exact := by_hash.get(preference.sha256)) is not None:
            return exact
        for model in models:
            if _is_of(model, preference):
                return model
    return None


def find_adapter(wanted: Adapter, home: Home) -> Path | None:
    """Return the LoRA adapter of this hash in this person's folder of models; None where it is not there."""
    hashes = KnownHashes(home.cache)
    return next((model.path for model in list_models(home) if hashes.sha256(model.path) == wanted.sha256), None)


def _is_of(model: GgufFile, preference: ModelPreference) -> bool:
    """Tell by the name, as authors of GGUFs write it: "Qwen3-4B-Instruct-Q4_K_M" is of family qwen3 and size 4B.

    The family is one whole word or several ("Llama 3.2" in "Meta-Llama-3.2-1B"): Qwen3 is not Qwen3.5, nor phi dolphin.
    Another program's file is asked besides whether it speaks at all ("Qwen3-Embedding-4B" does not), and for the size
    where its name has none ("qwen3:latest").
    """
    words = _WORD_BREAK.split(model.name.casefold())
    family = "".join(_WORD_BREAK.split(preference.family.casefold()))
    runs = {"".join(words[start:end]) for start in range(len(words)) for end in range(start + 1, len(words) + 1)}
    if not family or family not in runs:
        return False
    parameters = preference.parameters.casefold()
    if model.source == OWN:
        return parameters in words
    from satchel.runtime.models.facts import read_facts

    facts = read_facts(model.path)
    return not facts.problem and (parameters in words or parameters == facts.size_label.casefold())
