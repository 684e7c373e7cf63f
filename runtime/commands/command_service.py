"""The process that runs commands for a window (`worker.service`): they read whole packs, map arrays, parse files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from satchel.runtime.commands.duplicate import duplicate
from satchel.runtime.commands.inspect import inspect
from satchel.runtime.commands.install import install
from satchel.runtime.commands.opening import find_pack
from satchel.runtime.commands.show_page import PageDesk, PageRequest
from satchel.runtime.packfile.store import PackStore
from satchel.runtime.packfile.verified import VerifiedPack
from satchel.runtime.paths import Home
from satchel.runtime.progress import Progress
from satchel.runtime.worker.service import Call, Method


def methods() -> Mapping[str, Method]:
    """Return the table of methods; the front is `commands.aside`."""
    desk = _Desk()
    return {
        "install": _install,
        "inspect": _inspect,
        "duplicate": _duplicate,
        "evaluate": _evaluate,
        "verify_once": _verify_once,
        "open_pages": desk.open,
        "show_page": desk.show,
    }


def _install(params: dict[str, Any], call: Call) -> Any:
    return plain(install(path_of(params["path"]), home_of(params), progress=steps(call)))


def _inspect(params: dict[str, Any], _call: Call) -> Any:
    return plain(inspect(path_of(params["path"])))


def _duplicate(params: dict[str, Any], call: Call) -> Any:
    reference = os.fsdecode(params["reference"])
    return plain(duplicate(reference, params["name"], home_of(params), progress=steps(call)).folder)


def _evaluate(params: dict[str, Any], call: Call) -> Any:
    from satchel.runtime.commands.answer import AnswerOptions
    from satchel.runtime.commands.evaluate import evaluate
    from satchel.runtime.session.choosing import ModelRequest

    options = AnswerOptions(model=ModelRequest(reference=params["model"]))
    return plain(evaluate(os.fsdecode(params["reference"]), options, home_of(params), progress=steps(call)))


def _verify_once(params: dict[str, Any], call: Call) -> Any:
    reference = os.fsdecode(params["reference"])
    home = home_of(params)
    if os.path.isfile(reference):  # noqa: PTH113 - unlike Path.is_file, it says no to a name too long
        return PackStore(home).verify_once(Path(reference), progress=steps(call)).as_params()
    return find_pack(reference, home, progress=steps(call)).as_params()


class _Desk:
    """The pages of the assistant that was opened last."""

    def __init__(self) -> None:
        self._desk: PageDesk | None = None

    def open(self, params: dict[str, Any], _call: Call) -> None:
        if self._desk is not None:
            self._desk.close()
        folder = params["folder"]
        self._desk = PageDesk(VerifiedPack.from_params(params["pack"]), path_of(folder) if folder else None)

    def show(self, params: dict[str, Any], _call: Call) -> Any:
        assert self._desk is not None  # `open_pages` comes first
        return plain(self._desk.show(msgspec.convert(params, PageRequest)))


def plain(value: Any) -> Any:
    """Return a result as the pipe takes it; a path as bytes, because not every name is text."""
    return msgspec.to_builtins(value, builtin_types=(bytes,), enc_hook=os.fsencode)


def path_of(name: bytes) -> Path:
    """Return the path that came as bytes."""
    return Path(os.fsdecode(name))


def home_of(params: dict[str, Any]) -> Home:
    """Return the person's folders."""
    return Home(**{name: path_of(path) for name, path in params["home"].items()})


def steps(call: Call) -> Progress:
    """Return a progress that goes to the caller, and stops the work when that cancels."""

    def step(stage: str, done: int, total: int | None) -> None:
        call.check()
        call.emit((stage, done, total))

    return step
