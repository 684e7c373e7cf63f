"""`satchel models remove`: gives back the space of what Satchel pulled, and of nothing else."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from satchel.runtime.engine.choice import find_elsewhere, list_models
from satchel.runtime.models.errors import NotPulledError
from satchel.runtime.models.file_names import model_name
from satchel.runtime.models.partial import STATE_SUFFIX, SUFFIX
from satchel.runtime.models.pulled import pulled_models
from satchel.runtime.paths import Home


@dataclass(frozen=True, slots=True)
class RemovedModel:
    """What was removed."""

    name: str
    paths: tuple[str, ...]
    bytes: int


@dataclass(frozen=True, slots=True)
class _Removable:
    name: str
    files: tuple[Path, ...]
    notes: tuple[Path, ...]
    """What was written down of the files."""
    is_unchanged: bool = True


def remove_model(name: str, home: Home) -> RemovedModel:
    """Remove a pulled model, or what an unfinished pull left, by the name that `models list` shows or by its path.

    Raises:
        NotPulledError: Satchel did not pull it, or it has been replaced since.
    """
    removable = list(_removable(home))
    wanted = name.removesuffix(".gguf").casefold()
    found = [model for model in removable if model.name.casefold() == wanted or str(model.files[0]) == name]
    if not found:
        elsewhere = next((model for model in find_elsewhere(home) if model.name.casefold() == wanted), None)
        own = next((model for model in list_models(home) if model.name.casefold() == wanted), None)
        reason = f": it belongs to {elsewhere.source}" if elsewhere is not None else ""
        reason = f": somebody put it there ({own.path})" if own is not None else reason
        raise _not_pulled(name, reason, removable)
    if changed := next((model for model in found if not model.is_unchanged), None):
        raise _not_pulled(name, f" as it is: its files are not what came ({changed.files[0]})", removable)
    removed, freed = [], 0
    for model in found:
        for path in model.files:
            freed += path.stat().st_size if path.is_file() else 0
            path.unlink(missing_ok=True)
            removed.append(str(path))
        for path in model.notes:
            path.unlink(missing_ok=True)
        _remove_empty(model.files[0].parent, home.models)
    return RemovedModel(found[0].name, tuple(removed), freed)


def _removable(home: Home) -> Iterator[_Removable]:
    for model in pulled_models(home.models):
        yield _Removable(model.name, tuple(model.paths), (model.record_path,), model.is_unchanged())
    for state in sorted(home.models.rglob("*" + STATE_SUFFIX)):
        whole = state.with_name(state.name.removesuffix(STATE_SUFFIX))
        yield _Removable(model_name(whole), (whole.with_name(whole.name + SUFFIX),), (state,))


def _not_pulled(name: str, reason: str, removable: list[_Removable]) -> NotPulledError:
    known = ", ".join(sorted({model.name for model in removable})) or "nothing so far"
    return NotPulledError(name=name, reason=reason, known=known)


def _remove_empty(folder: Path, top: Path) -> None:
    """Remove the folders that a pull made, as far as they are empty now."""
    while folder != top and folder.is_relative_to(top):
        with contextlib.suppress(OSError):
            folder.rmdir()
        folder = folder.parent
