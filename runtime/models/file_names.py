"""What a GGUF file's name says: the model's name, whether it is a later part, or a projector."""

from __future__ import annotations

import re
from pathlib import PurePath

_LATER_PART = re.compile(r"-(?!00001)\d{5}-of-\d{5}$")
_PART = re.compile(r"-\d{5}-of-(\d{5})$")
_MOST_PARTS = 999


def model_name(path: PurePath) -> str:
    """Return the name of the model that a file is, or is a part of."""
    return _PART.sub("", path.stem)


def is_later_part(path: PurePath) -> bool:
    """Tell whether a file is a part of a split model, and not the first one."""
    return _LATER_PART.search(path.stem) is not None


def is_projector(name: str) -> bool:
    """Tell whether a file turns pictures into a model's tokens and is no model of its own, by the name that all use."""
    return "mmproj" in name.casefold()


def part_names(name: str) -> list[str]:
    """Return the names of all parts of a split model for the name of any of them; the name alone for one file."""
    stem = name.removesuffix(".gguf")
    found = _PART.search(stem)
    count = int(found[1]) if found else 1
    if found is None or not 1 <= count <= _MOST_PARTS:
        return [name]
    return [f"{stem[: found.start()]}-{number:05}-of-{count:05}.gguf" for number in range(1, count + 1)]
