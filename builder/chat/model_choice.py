"""Which models could answer: those of this person's folder, and the Starter where it is installed."""

from __future__ import annotations

from satchel.runtime.engine.choice import STARTER, find_model, list_models
from satchel.runtime.errors import SatchelError
from satchel.runtime.paths import Home


def models_here(home: Home) -> list[str]:
    """Return the names of the models that are on this disk, as `open_session` takes them."""
    names = [model.name for model in list_models(home) if not model.is_starter]
    try:
        find_model(STARTER, home)
    except SatchelError:
        return names
    return [*names, STARTER]
