"""Which model a person means: `starter`, `reader`, a file, or the name of a model on this disk."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from satchel.runtime.engine.errors import ModelMissingError
from satchel.runtime.engine.starter import STARTER_FILE, find_starter
from satchel.runtime.paths import Home

STARTER, READER = "starter", "reader"
_LATER_PART = re.compile(r"-(?!00001)\d{5}-of-\d{5}$")
_PART = re.compile(r"-\d{5}-of-\d{5}$")


@dataclass(frozen=True, slots=True)
class Quote:
    """No language model: answers are exact quotes."""


@dataclass(frozen=True, slots=True)
class GgufFile:
    """A language model's file."""

    path: Path
    name: str
    """What answers say that they come from."""
    is_starter: bool = False


ModelChoice: TypeAlias = Quote | GgufFile


def find_model(reference: str, home: Home) -> ModelChoice:
    """Return the model that `reference` names. Whether a file is sound, `gguf_header.read_model` tells.

    Raises:
        ModelMissingError: there is none, or more than one begins so.
        MissingExtraError: it is the Starter, and the extra is not installed.
    """
    if reference == READER:
        return Quote()
    if reference == STARTER:
        return GgufFile(find_starter(home), STARTER, is_starter=True)
    path = Path(os.path.expanduser(reference))  # noqa: PTH111 - Path's own fails for a person who is not known here
    if os.path.isfile(path):  # noqa: PTH113 - Path's own fails for a name that is too long
        return GgufFile(path.absolute(), _name(path), is_starter=path.name == STARTER_FILE)
    known = list_models(home)
    if path.suffix.lower() == ".gguf" and path.name != reference:
        raise _missing(reference, "there is no such file", known)
    wanted = reference.removesuffix(".gguf").casefold()
    named = [model for model in known if model.name.casefold() == wanted]
    found = named or [model for model in known if model.name.casefold().startswith(wanted)]
    if len(found) == 1 and wanted:
        return found[0]
    if not found or not wanted:
        raise _missing(reference, "no file and no model on this disk has that name", known)
    raise _missing(reference, "more than one model begins so", found)


def list_models(home: Home) -> list[GgufFile]:
    """Return the models in this person's folder, by name; later parts of split ones are none of their own."""
    if not home.models.is_dir():
        return []
    files = sorted(path for path in home.models.rglob("*.gguf") if path.is_file() and not _LATER_PART.search(path.stem))
    return [GgufFile(path, _name(path), is_starter=path.name == STARTER_FILE) for path in files]


def _name(path: Path) -> str:
    return _PART.sub("", path.stem)


def _missing(reference: str, reason: str, known: list[GgufFile]) -> ModelMissingError:
    names = ", ".join(sorted({model.name for model in known})) or "none"
    return ModelMissingError(reference=reference, reason=reason, known=names)
