"""How long work tells where it is, and how it is asked to stop."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called at every step of long work.

    A front end cancels by raising `CancelledError` (or `KeyboardInterrupt`) from the call; the work cleans up and
    lets it pass.
    """

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Report `done` of `total` steps (None: unknown) of a stage in plain words, such as "reading tides.pdf"."""


def _silent(stage: str, done: int, total: int | None) -> None:
    """Report nothing."""


SILENT: Progress = _silent
