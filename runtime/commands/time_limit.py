"""How long a person gives a command, from its start to its end."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from satchel.runtime.errors import OutOfTimeError, UsageError
from satchel.runtime.progress import Progress


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """Runs from the moment when it is made."""

    seconds: float | None
    """None: as long as it takes."""
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        # Not "<= 0": NaN is no number of seconds either.
        if self.seconds is not None and not self.seconds > 0:
            raise UsageError(reason="--timeout takes a number of seconds above 0")

    def left(self) -> float | None:
        """Return the seconds that are left, 0 at the least; None without a limit."""
        if self.seconds is None:
            return None
        return max(0.0, self.seconds - (time.monotonic() - self.started))

    def check(self, stage: str) -> None:
        """Raise when the time is up.

        Raises:
            OutOfTimeError: names the stage.
        """
        if self.left() == 0.0:
            raise self.error(stage)

    def error(self, stage: str) -> OutOfTimeError:
        """Return what is raised when the time is up."""
        return OutOfTimeError(seconds=f"{self.seconds:g}", stage=stage)

    def over(self, progress: Progress) -> Progress:
        """Return a progress that cancels the work at its first step after the time is up."""
        if self.seconds is None:
            return progress

        def step(stage: str, done: int, total: int | None) -> None:
            self.check(stage)
            progress(stage, done, total)

        return step
