"""Run commands in a process beside the caller's: a window neither waits for them nor loads what they import."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import msgspec

from satchel.runtime.commands.inspect import PackDescription
from satchel.runtime.commands.install import Installation
from satchel.runtime.commands.show_page import PageRequest, ShownPage
from satchel.runtime.packfile.verified import VerifiedPack
from satchel.runtime.paths import Home
from satchel.runtime.progress import SILENT, Progress
from satchel.runtime.worker.process import Worker

if TYPE_CHECKING:
    from satchel.runtime.commands.evaluate import Evaluation

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Opened:
    """Whose pages the process has open, and in which life of it."""

    pack_id: str
    pid: int | None


class Aside:
    """One process, started at the first command. One command at a time; `cancel` may be called from any thread."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._worker = Worker("satchel.runtime.commands.command_service", name="helper")
        self._opened: _Opened | None = None

    def install(self, path: Path, *, progress: Progress = SILENT) -> Installation:
        """As `commands.install.install`."""
        return self._typed(Installation, self._run("install", {"path": os.fsencode(path)}, progress))

    def inspect(self, path: Path) -> PackDescription:
        """As `commands.inspect.inspect`."""
        return self._typed(PackDescription, self._run("inspect", {"path": os.fsencode(path)}, SILENT))

    def duplicate(self, reference: str, name: str, *, progress: Progress = SILENT) -> Path:
        """As `commands.duplicate.duplicate`; returns the new project's folder."""
        params = {"reference": os.fsencode(reference), "name": name}
        return Path(os.fsdecode(self._run("duplicate", params, progress)))

    def evaluate(self, reference: str, model: str | None, *, progress: Progress = SILENT) -> Evaluation:
        """As `commands.evaluate.evaluate`, with a model's name or None for what suits."""
        from satchel.runtime.commands.evaluate import Evaluation

        return self._typed(
            Evaluation, self._run("evaluate", {"reference": os.fsencode(reference), "model": model}, progress)
        )

    def verify_once(self, reference: str, *, progress: Progress = SILENT) -> VerifiedPack:
        """Verify a pack, by its path, name or id, unless that was done; then opening it reads nothing twice."""
        return VerifiedPack.from_params(self._run("verify_once", {"reference": os.fsencode(reference)}, progress))

    def show_page(self, verified: VerifiedPack, folder: Path | None, request: PageRequest) -> ShownPage:
        """As `commands.show_page.PageDesk.show`; the pack stays open there for the next page."""
        self._worker.start()
        wanted = _Opened(verified.pack_id, self._worker.pid)
        if self._opened != wanted:
            place = os.fsencode(folder) if folder is not None else None
            self._worker.call("open_pages", {"pack": verified.as_params(), "folder": place})
            self._opened = _Opened(verified.pack_id, self._worker.pid)
        return self._typed(ShownPage, self._worker.call("show_page", msgspec.to_builtins(request)))

    def cancel(self) -> None:
        """Stop the running command."""
        self._worker.cancel()

    def close(self) -> None:
        """End the process."""
        self._worker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, method: str, params: dict[str, Any], progress: Progress) -> Any:
        home = {
            "data": os.fsencode(self._home.data),
            "cache": os.fsencode(self._home.cache),
            "settings": os.fsencode(self._home.settings),
        }
        stream = self._worker.stream(method, {**params, "home": home})
        try:
            while True:
                stage, done, total = next(stream)
                progress(stage, done, total)
        except StopIteration as end:
            return end.value
        finally:
            stream.close()

    def _typed(self, kind: type[T], value: Any) -> T:
        return msgspec.convert(value, kind, builtin_types=(bytes,), dec_hook=_path)


def _path(kind: type, value: Any) -> Any:
    assert kind is Path or issubclass(kind, Path)  # the only type here that msgspec does not know
    return Path(os.fsdecode(value))
