"""The process that indexes and builds projects (`worker.service`): packs are mapped and arrays are made here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from satchel.runtime.paths import Home
from satchel.runtime.progress import Progress
from satchel.runtime.project.building import ProjectBuilder
from satchel.runtime.project.outcomes import BuiltPack, ProjectIndex
from satchel.runtime.worker.service import Call, Method


def methods() -> Mapping[str, Method]:
    """Return the table of methods."""
    return {"index": _index, "build": _build}


def _index(params: dict[str, Any], call: Call) -> Any:
    builder = ProjectBuilder(_path(params["folder"]), _home(params), threads=params["threads"])
    return _plain(builder.index(rebuild=params["rebuild"], progress=_steps(call)))


def _build(params: dict[str, Any], call: Call) -> Any:
    builder = ProjectBuilder(_path(params["folder"]), _home(params), threads=params["threads"])
    built = builder.build(
        _path(params["destination"]), sources=params["sources"], strict=params["strict"], progress=_steps(call)
    )
    return _plain(built)


def _path(name: bytes) -> Path:
    return Path(os.fsdecode(name))


def _plain(outcome: ProjectIndex | BuiltPack) -> dict[str, Any]:
    """Return an outcome as the pipe takes it; its path as bytes, because not every name is text."""
    return {**msgspec.to_builtins(outcome), "path": os.fsencode(outcome.path)}


def _home(params: dict[str, Any]) -> Home:
    return Home(**{name: Path(path) for name, path in params["home"].items()})


def _steps(call: Call) -> Progress:
    def step(stage: str, done: int, total: int | None) -> None:
        call.check()
        call.emit((stage, done, total))

    return step
