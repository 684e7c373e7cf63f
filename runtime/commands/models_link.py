"""Use a model's file where it lies: a link to it in this person's folder of models."""

from __future__ import annotations

import os
from pathlib import Path

from satchel.runtime.errors import SatchelError, SaveError
from satchel.runtime.models.facts import read_facts
from satchel.runtime.paths import Home

_FOLDER = "linked"


class UnusableModelError(SatchelError):
    """{path} cannot be used as a language model: {reason}."""

    exit_code = 41
    remedy = "Choose a GGUF file of a chat model; split ones by their first part."


def link_model(path: Path, home: Home) -> Path:
    """Link a GGUF file (or those of a folder) so that it is found as this person's own; nothing is copied.

    Returns the link, of a folder the first one.

    Raises:
        UnusableModelError: it is none that can speak; says why.
        SaveError: the link cannot be made.
    """
    files = sorted(path.glob("*.gguf")) if path.is_dir() else [path]
    if not files:
        raise UnusableModelError(path=path, reason="there is no GGUF file in it")
    problems = {file: read_facts(file).problem for file in files}
    usable = [file for file in files if not problems[file]]
    if not usable:
        raise UnusableModelError(path=files[0], reason=problems[files[0]])
    place = home.models / _FOLDER
    try:
        place.mkdir(parents=True, exist_ok=True)
        for file in files if len(usable) == 1 else usable:
            _link(file.absolute(), place / file.name)
    except OSError as error:
        raise SaveError(path=place, reason=(error.strerror or str(error)).lower()) from error
    return place / usable[0].name


def unlink_model(path: Path, home: Home) -> None:
    """Take a linked model out of the list; the file stays where it lies."""
    if is_linked(path, home):
        path.unlink()


def is_linked(path: Path, home: Home) -> bool:
    """Tell whether a model of this person's folder is a link that `link_model` made."""
    return path.parent == home.models / _FOLDER and path.is_symlink()


def _link(file: Path, link: Path) -> None:
    if link.is_symlink() and os.path.realpath(link) == os.path.realpath(file):
        return
    number = 1
    stem, suffix = link.stem, link.suffix
    while link.is_symlink() or link.exists():
        number += 1
        link = link.with_name(f"{stem}-{number}{suffix}")
    link.symlink_to(file)
