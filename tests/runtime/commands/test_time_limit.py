"""How long a person gives a command."""

from __future__ import annotations

import time

import pytest

from satchel.runtime.commands.time_limit import TimeLimit
from satchel.runtime.errors import OutOfTimeError, UsageError
from satchel.runtime.progress import SILENT


def test_time_runs_from_the_moment_it_is_made():
    limit = TimeLimit(60.0, started=time.monotonic() - 20)

    left = limit.left()

    assert left is not None
    assert 39 < left <= 40
    limit.check("reading")


def test_when_it_is_up_the_stage_is_told():
    limit = TimeLimit(2.5, started=time.monotonic() - 3)

    assert limit.left() == 0
    with pytest.raises(OutOfTimeError, match=r"It took longer than the 2\.5 s it was given \(reading tides\.pdf\)"):
        limit.over(SILENT)("reading tides.pdf", 1, 2)


def test_work_in_time_goes_on_and_is_reported():
    steps = []

    TimeLimit(60).over(lambda *step: steps.append(step))("reading", 1, 2)

    assert steps == [("reading", 1, 2)]


def test_without_a_limit_nothing_ever_is_up():
    limit = TimeLimit(None)

    assert limit.left() is None
    assert limit.over(SILENT) is SILENT
    limit.check("reading")


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_what_is_no_time_is_refused(seconds):
    with pytest.raises(UsageError, match="above 0"):
        TimeLimit(seconds)
