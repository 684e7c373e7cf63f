"""The clock: date, time and weekday, here or in another time zone."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable

from satchel.runtime.tools.base import Arguments, CallContext, Function, ToolResult, object_schema
from satchel.runtime.tools.errors import ToolError

Now = Callable[[], dt.datetime]
"""Returns the moment, with a time zone."""


def machine_time() -> dt.datetime:
    """Return this machine's time in its own time zone."""
    return dt.datetime.now(tz=dt.UTC).astimezone()


class Clock:
    """The tool `clock`."""

    name = "clock"

    def __init__(self, now: Now = machine_time) -> None:
        self._now = now

    @property
    def functions(self) -> tuple[Function, ...]:
        """One: `clock`."""
        zone = {
            "type": "string",
            "maxLength": 64,
            "description": "IANA name such as Europe/Berlin; without it, local time",
        }
        return (
            Function(
                name=self.name,
                description="Tell the current date, time and weekday.",
                parameters=object_schema({}, {"time_zone": zone}),
                run=self._run,
                seconds=5.0,
            ),
        )

    def close(self) -> None:
        """Hold nothing."""

    def _run(self, arguments: Arguments, _context: CallContext) -> ToolResult:
        moment = self._now()
        if name := arguments.get("time_zone"):
            try:
                moment = moment.astimezone(zoneinfo.ZoneInfo(name))
            except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
                raise ToolError(reason=f"There is no time zone {name!r}; names are like Europe/Berlin") from None
        return ToolResult(f"{moment:%A}, {moment.isoformat(sep=' ', timespec='minutes')} ({moment.tzname()})")
