"""The list of models that Satchel suggests: short, dated, by size, and with no hash, which is the hub's to tell."""

from __future__ import annotations

import datetime as dt
import tomllib
from importlib import resources
from typing import Annotated

import msgspec

from satchel.runtime.models.errors import UnknownModelError

_Text = Annotated[str, msgspec.Meta(min_length=1)]


class CatalogueModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One suggestion."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
    """What `satchel models pull` takes."""
    title: _Text
    repository: Annotated[str, msgspec.Meta(pattern=r"^[\w.-]+/[\w.-]+$")]
    file: Annotated[str, msgspec.Meta(pattern=r"^[\w.-]+\.gguf$")]
    parameters: Annotated[str, msgspec.Meta(pattern=r"^\d+(\.\d+)?B$")]
    architecture: _Text
    """As the file names it; llama.cpp must know it."""
    gigabytes: Annotated[float, msgspec.Meta(gt=0, lt=1000)]
    """About, in 10^9 bytes; the hub tells the exact size."""
    licence: _Text
    """The hub's identifier of it."""
    context: Annotated[int, msgspec.Meta(ge=1024)]
    """Tokens that it was trained on."""
    good_at: _Text

    @property
    def reference(self) -> str:
        """The file's full name on the hub."""
        return f"hub:{self.repository}/{self.file}"


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole list, smallest models first."""

    made: dt.date
    how: _Text
    """How its entries were checked."""
    model: tuple[CatalogueModel, ...]


def load_catalogue() -> Catalogue:
    """Return the list that came with this version."""
    text = resources.files("satchel.runtime.models").joinpath("catalogue.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Catalogue)


def find_in_catalogue(name: str, catalogue: Catalogue) -> CatalogueModel:
    """Return the entry of a name, whatever its case; a model's title or file name are taken as well.

    Raises:
        UnknownModelError: there is none; names the nearest ones.
    """
    wanted = name.casefold()
    for model in catalogue.model:
        if wanted in {model.name, model.title.casefold(), model.file.casefold(), model.file.casefold()[:-5]}:
            return model
    raise UnknownModelError(name=name, near=nearest(name, [model.name for model in catalogue.model]))


def nearest(name: str, known: list[str]) -> str:
    """Return the names that look most like one, best first, as text; all of a short list where none does."""
    import difflib

    wanted = name.casefold()
    holding = [other for other in known if wanted and wanted in other.casefold()]
    alike = difflib.get_close_matches(wanted, [other.casefold() for other in known], n=4, cutoff=0.5)
    by_case = {other.casefold(): other for other in known}
    found = list(dict.fromkeys([*holding, *(by_case[other] for other in alike)]))[:6]
    return ", ".join(found or known[:20])
