"""Times as people say them."""

from __future__ import annotations

import time

from satchel.builder.language import counted, translate

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def ago(then: float, now: float) -> str:  # noqa: PLR0911 - a line for each way to say it
    """Return "2 min ago", "1 h ago", "yesterday", "3 weeks ago"; days count from midnight to midnight."""
    seconds = max(0.0, now - then)
    if seconds < _MINUTE:
        return translate("Ago", "just now")
    if seconds < _HOUR:
        return translate("Ago", "{n} min ago", n=int(seconds // _MINUTE))
    days = _midnight(now) - _midnight(then)
    if days == 0:
        return translate("Ago", "{n} h ago", n=int(seconds // _HOUR))
    if days == 1:
        return translate("Ago", "yesterday")
    if days < 7:
        return translate("Ago", "{n} days ago", n=days)
    if days < 14:
        return translate("Ago", "last week")
    if days < 60:
        return translate("Ago", "{n} weeks ago", n=days // 7)
    if days < 730:
        months = days // 30
        return counted(months, translate("Ago", "{n} month ago"), translate("Ago", "{n} months ago"))
    return translate("Ago", "{n} years ago", n=days // 365)


def day_of(then: float, now: float) -> str:
    """Return the heading under which a chat stands in a list: "Today", "Yesterday", "Last 7 days", "October 2026"."""
    days = _midnight(now) - _midnight(then)
    if days <= 0:
        return translate("Ago", "Today")
    if days == 1:
        return translate("Ago", "Yesterday")
    if days < 7:
        return translate("Ago", "Last 7 days")
    return time.strftime("%B %Y", time.localtime(then))


def _midnight(moment: float) -> int:
    """Return the number of the day, in the person's own time."""
    local = time.localtime(moment)
    return int((moment + local.tm_gmtoff) // _DAY)
