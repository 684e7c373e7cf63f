"""Which model a person means: `starter`, `reader`, a file, or the name of a model on this disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from satchel.runtime.engine.errors import ModelMissingError
from satchel.runtime.engine.starter import STARTER_FILE, find_starter
from satchel.runtime.models.file_names import is_later_part, model_name
from satchel.runtime.paths import Home

STARTER, READER = "starter", "reader"
OWN = "satchel"
_MOST_NAMES = 30
"""In a message; a cache of models may hold hundreds."""


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
    source: str = OWN
    """The program that keeps it: `satchel` for this person's own folder."""
    sha256: str = ""
    """As the program that keeps it names the file, without reading it; empty where it does not."""


ModelChoice: TypeAlias = Quote | GgufFile


def find_model(reference: str, home: Home) -> ModelChoice:
    """Return the model that `reference` names, of this person's folder or of another program's.

    Whether a file is sound, `gguf_header.read_model` tells.

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
        return GgufFile(path.absolute(), model_name(path), is_starter=path.name == STARTER_FILE)
    own = list_models(home)
    if path.suffix.lower() == ".gguf" and path.name != reference:
        raise _missing(reference, "there is no such file", own)
    wanted = reference.removesuffix(".gguf").casefold()
    # Other programs' folders are looked through only for a name that is not here: that may be thousands of files.
    if len(named := _named(wanted, own)) == 1:
        return named[0]
    known = [*own, *find_elsewhere(home)]
    suggested = _suggested(wanted)
    found = (
        named
        or _named(wanted, known)
        or _named(suggested, known)
        or [model for model in known if model.name.casefold().startswith(wanted)]
    )
    if len(found) == 1 and wanted:
        return found[0]
    if not found or not wanted:
        pull = f"; `satchel models pull {wanted}` gets it" if suggested else ""
        raise _missing(reference, f"no file and no model on this disk has that name{pull}", known)
    raise _missing(reference, "more than one model begins so", found)


def list_models(home: Home) -> list[GgufFile]:
    """Return the models in this person's folder, by name; later parts of split ones are none of their own."""
    if not home.models.is_dir():
        return []
    embedders = home.models / "embedders"  # converted ones are kept there, and none of them speaks
    files = sorted(
        path
        for path in home.models.rglob("*.gguf")
        if path.is_file() and not is_later_part(path) and embedders not in path.parents
    )
    return [GgufFile(path, model_name(path), is_starter=path.name == STARTER_FILE) for path in files]


def find_elsewhere(home: Home) -> list[GgufFile]:
    """Return the models that other programs keep on this disk; the files of this person's folder are none of them."""
    if home.person is None:
        return []
    from satchel.runtime.models.discovery import find_models
    from satchel.runtime.models.places import Surroundings

    own = list_models(home)
    found = find_models(Surroundings(home.person), taken=(READER, STARTER, *(model.name for model in own)))
    linked = {os.path.realpath(model.path) for model in own}
    return [
        GgufFile(model.path, model.name, is_starter=False, source=model.program, sha256=model.sha256)
        for model in found
        if os.path.realpath(model.path) not in linked
    ]


def _suggested(wanted: str) -> str:
    """Return the name of the file that the catalogue calls so, in small letters; empty for none of its names."""
    from satchel.runtime.models.catalogue import load_catalogue

    return next(
        (model_name(Path(model.file)).casefold() for model in load_catalogue().model if model.name == wanted), ""
    )


def _named(wanted: str, known: Sequence[GgufFile]) -> list[GgufFile]:
    return [model for model in known if model.name.casefold() == wanted]


def _missing(reference: str, reason: str, known: Sequence[GgufFile]) -> ModelMissingError:
    names = sorted({model.name for model in known})
    told = ", ".join(names) or "none"
    if len(names) > _MOST_NAMES:
        from satchel.runtime.models.catalogue import nearest

        told = f"{nearest(reference[:_MOST_NAMES], names)}, and others that `satchel models list` shows"
    return ModelMissingError(reference=reference, reason=reason, known=told)
