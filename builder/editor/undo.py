"""What can be taken back: a step for each thing that was changed, typing in one field without a pause being one."""

from __future__ import annotations

from satchel.builder.editor.draft import Draft

_PAUSE_SECONDS = 1.5
_MOST = 500


class Undo:
    """The drafts before this one, and those that were taken back."""

    def __init__(self) -> None:
        self._past: list[Draft] = []
        self._future: list[Draft] = []
        self._field, self._at = "", 0.0

    def note(self, before: Draft, field: str, now: float) -> None:
        """Keep what was there before `field` changed; `now` in seconds."""
        goes_on = field == self._field and now - self._at < _PAUSE_SECONDS and bool(self._past)
        self._field, self._at = field, now
        self._future.clear()
        if not goes_on:
            self._past.append(before)
            del self._past[:-_MOST]

    def undo(self, now: Draft) -> Draft | None:
        """Return the draft before the last step; None when there is none."""
        return self._go(self._past, self._future, now)

    def redo(self, now: Draft) -> Draft | None:
        """Return the draft that was taken back last."""
        return self._go(self._future, self._past, now)

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether something was taken back."""
        return bool(self._future)

    def _go(self, source: list[Draft], target: list[Draft], now: Draft) -> Draft | None:
        self._field = ""
        if not source:
            return None
        target.append(now)
        return source.pop()
