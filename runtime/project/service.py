"""The process that indexes and builds projects (`worker.service`): packs are mapped and arrays are made here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from satchel.runtime.paths import Home
from satchel.runtime.progress import Progress
from satchel.runtime.project.building import ProjectBuilder
from satchel.runtime.worker.service import Call, Method


def methods() -> Mapping[str, Method]:
    """Return the table of methods."""
    return {"index": _index, "build": _build}


def _index(params: dict[str, Any], call: Call) -> Any:
    builder = ProjectBuilder(Path(params["folder"]), _home(params), threads=params["threads"])
    return msgspec.to_builtins(builder.index(rebuild=params["rebuild"], progress=_steps(call)))


def _build(params: dict[str, Any], call: Call) -> Any:
    builder = ProjectBuilder(Path(params["folder"]), _home(params), threads=params["threads"])
    built = builder.build(
        Path(params["destination"]), sources=params["sources"], strict=params["strict"], progress=_steps(call)
    )
    return msgspec.to_builtins(built)


def _home(params: dict[str, Any]) -> Home:
    return Home(**{name: Path(path) for name, path in params["home"].items()})


def _steps(call: Call) -> Progress:
    def step(stage: str, done: int, total: int | None) -> None:
        call.check()
        call.emit((stage, done, total))

    return step
